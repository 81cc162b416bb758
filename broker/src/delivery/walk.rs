//! The walk of the user's index from M on, window by window (D4, D5).

use std::collections::{HashSet, VecDeque};

use talaria_core::ConversationId;
use talaria_core::limits::MARK_LIST_MAX;
use talaria_port::history::Moves;
use talaria_port::messages::Window;

/// Conversations of one window that are read side by side; more would only hold memory, for two pages are out at most.
pub(super) const OPEN_MAX: usize = MARK_LIST_MAX / 16;

/// Where a walk stands.
#[derive(Debug)]
pub(super) struct Walk {
    pub(super) from: Window,
    /// The last row that was received.
    pub(super) after: Option<(Window, ConversationId)>,
    /// The last window that is looked at: none but in tests of D5.
    pub(super) upper: Option<Window>,
    pub(super) rows: VecDeque<(Window, ConversationId)>,
    pub(super) is_end: bool,
    /// The window whose conversations are being read.
    pub(super) window: Option<Window>,
    /// Those that are not read to its end yet.
    pub(super) open: HashSet<ConversationId>,
    /// Number of the question that is out.
    pub(super) asked: Option<u32>,
    pub(super) failed: bool,
}

/// What to do next.
pub(super) enum Step {
    /// Read this conversation to the end of the window.
    Open(Window, ConversationId),
    /// Everything up to the end of the window is done; M may move there.
    Close(Window),
    /// All is done.
    End,
    /// Wait for rows or pages.
    Wait,
}

impl Walk {
    pub(super) fn new(from: Window) -> Self {
        Self {
            from,
            after: None,
            upper: None,
            rows: VecDeque::new(),
            is_end: false,
            window: None,
            open: HashSet::new(),
            asked: None,
            failed: false,
        }
    }

    /// Whether rows should be asked for.
    pub(super) fn wants_rows(&self) -> bool {
        self.asked.is_none() && !self.failed && !self.is_end && self.rows.is_empty()
    }

    pub(super) fn on_moves(&mut self, moves: Moves) {
        // An answer with neither rows nor an end would be asked for at once again; it waits for the backoff instead.
        self.failed = moves.rows.is_empty() && !moves.is_end;
        self.is_end = moves.is_end;
        if let Some(last) = moves.rows.last() {
            self.after = Some(*last);
        }
        self.rows.extend(moves.rows);
    }

    pub(super) fn step(&mut self) -> Step {
        let Some(&(window, conversation)) = self.rows.front() else {
            return if self.is_end && self.open.is_empty() { Step::End } else { Step::Wait };
        };
        if self.upper.is_some_and(|upper| window > upper) {
            return if self.open.is_empty() { Step::End } else { Step::Wait };
        }
        match self.window {
            Some(current) if current < window => {
                if !self.open.is_empty() {
                    return Step::Wait;
                }
                self.window = None;
                Step::Close(current)
            }
            _ if self.open.len() >= OPEN_MAX => Step::Wait,
            _ => {
                self.rows.pop_front();
                self.window = Some(window);
                self.open.insert(conversation);
                Step::Open(window, conversation)
            }
        }
    }
}
