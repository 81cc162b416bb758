//! The engine's journals, read whole before the engine may touch them (`fjall` 3.1.13, `journal/`).
//!
//! The engine recovers up to the first record that it cannot read, cuts the rest off without a word, and goes on with the
//! next journal. It refuses a batch with a wrong checksum, also where that is just a torn tail. And the number that orders
//! batches is under no checksum. So this reads the journals first, by rules of our own:
//!
//! - every batch holds the row of its round, and rounds are numbered without holes, over all journals;
//! - the first of them joins what is in the tables;
//! - what cannot be read may only lie where no round is missing behind it, and after the last acknowledged round: then it is a
//!   torn tail, cut off and reported. Anything else is damage, and nothing is touched.

use std::fs::{File, OpenOptions};
use std::io::{self, BufReader, ErrorKind, Read};
use std::path::{Path, PathBuf};

use xxhash_rust::xxh3::Xxh3Default;

use crate::error::Failure;
use crate::rows::key;
use crate::rows::number::{ROUND_BYTES, Reach, RoundRow};

/// Of their names.
pub(crate) const EXTENSION: &str = "jnl";

const START: u8 = 1;
const ITEM: u8 = 2;
const END: u8 = 3;
const END_MARK: [u8; 4] = *b"FJL\x03";
const UNCOMPRESSED: u8 = 0;

/// How much is read at once.
const BUFFER_BYTES: usize = 256 * 1024;
static ZEROS: [u8; BUFFER_BYTES] = [0; BUFFER_BYTES];

/// Sequence numbers that the engine may take for itself, for flushes and compactions, between our reading of the next one and
/// the batch: a handful at most.
const SEQNO_SLACK: u64 = 4096;

/// Which whole rounds stay.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Keep {
    /// All: one that was not acknowledged may have been read already, and an event once shown never vanishes (INV-3).
    All,
    /// Those that were acknowledged: what follows could not be written, and its sender hears that it is not stored.
    Acknowledged,
}

/// Reads all journals in the engine's folder, cuts what may be cut, and gives the last round in them. `None` where they hold
/// none: then the tables must hold everything.
pub(crate) fn check(engine: &Path, tables: Reach, acknowledged: u64, keep: Keep) -> Result<Option<u64>, Failure> {
    let mut chain = Chain { tables, ..Chain::default() };
    let mut cuts = Vec::new();
    for path in paths(engine)? {
        read(&path, acknowledged, &mut chain, &mut cuts)?;
    }
    let last = chain.last.map(|last| last.number);
    if last.is_some_and(|last| last < acknowledged) {
        return Err(Failure::damaged(format_args!(
            "round {acknowledged} was acknowledged, and the journals end with round {}",
            last.unwrap_or_default()
        )));
    }
    if keep == Keep::Acknowledged {
        cuts.append(&mut chain.beyond);
    }
    for cut in &cuts {
        cut.make()?;
    }
    Ok(if keep == Keep::Acknowledged { last.map(|last| last.min(acknowledged)) } else { last })
}

/// Journals in the order of their numbers.
fn paths(engine: &Path) -> Result<Vec<PathBuf>, Failure> {
    let mut journals = Vec::new();
    for entry in std::fs::read_dir(engine)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == EXTENSION) {
            let number = path.file_stem().and_then(|stem| stem.to_str()).and_then(|stem| stem.parse::<u64>().ok());
            let number = number.ok_or_else(|| Failure::damaged(format_args!("{}: its name", path.display())))?;
            journals.push((number, path));
        }
    }
    journals.sort_unstable();
    Ok(journals.into_iter().map(|(_, path)| path).collect())
}

/// Where a journal is to end.
#[derive(Debug)]
struct Cut {
    path: PathBuf,
    at: u64,
    why: &'static str,
}

impl Cut {
    fn make(&self) -> Result<(), Failure> {
        tracing::warn!(journal = %self.path.display(), at = self.at, why = self.why, "the end of a journal is cut off");
        let file = OpenOptions::new().write(true).open(&self.path)?;
        file.set_len(self.at)?;
        Ok(file.sync_all()?)
    }
}

/// Rounds so far, over all journals.
#[derive(Default)]
struct Chain {
    tables: Reach,
    last: Option<RoundRow>,
    seqno: u64,
    /// Where the first round that was not acknowledged begins, and what follows.
    beyond: Vec<Cut>,
}

impl Chain {
    fn push(&mut self, round: RoundRow, seqno: u64) -> Result<(), String> {
        if let Some(last) = self.last {
            if round.number != last.number + 1 {
                return Err(format!("round {} follows round {}", round.number, last.number));
            }
            if seqno <= self.seqno {
                return Err(format!("the order of round {}", round.number));
            }
        } else if !self.tables.covers(round.before) {
            return Err(format!("the rounds before round {} are neither in a journal nor in the tables", round.number));
        }
        if !(round.base..round.base.saturating_add(SEQNO_SLACK)).contains(&seqno) {
            return Err(format!("the order of round {}", round.number));
        }
        self.last = Some(round);
        self.seqno = seqno;
        Ok(())
    }
}

fn read(path: &Path, acknowledged: u64, chain: &mut Chain, cuts: &mut Vec<Cut>) -> Result<(), Failure> {
    let mut reader = Reader::open(path)?;
    loop {
        let at = reader.at;
        let cut = |why| Cut { path: path.to_owned(), at, why };
        match reader.batch() {
            Ok(Next::Batch { round, seqno }) => {
                let pushed = chain.push(round, seqno);
                pushed.map_err(|what| Failure::damaged(format_args!("{}: {what}", path.display())))?;
                if round.number > acknowledged && !chain.beyond.iter().any(|beyond| beyond.path == path) {
                    chain.beyond.push(cut("this round could not be completed"));
                }
            }
            Ok(Next::End) => return Ok(()),
            Err(Stop::Broken) => {
                cuts.push(cut("a record that was never completed"));
                return Ok(());
            }
            Err(Stop::Io(error)) => return Err(error.into()),
        }
    }
}

/// What lies at the reader's place.
enum Next {
    Batch {
        round: RoundRow,
        seqno: u64,
    },
    /// Nothing but zeros: journals are made longer than what is in them.
    End,
}

/// Why there is no more.
enum Stop {
    Broken,
    Io(io::Error),
}

impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Self {
        if error.kind() == ErrorKind::UnexpectedEof { Self::Broken } else { Self::Io(error) }
    }
}

struct Reader {
    file: BufReader<File>,
    /// Behind the last whole batch.
    at: u64,
    read: u64,
    /// Over the items of a batch, as they lie in the file.
    checksum: Xxh3Default,
    scratch: Vec<u8>,
}

impl Reader {
    fn open(path: &Path) -> io::Result<Self> {
        let file = BufReader::with_capacity(BUFFER_BYTES, File::open(path)?);
        Ok(Self { file, at: 0, read: 0, checksum: Xxh3Default::new(), scratch: Vec::new() })
    }

    fn batch(&mut self) -> Result<Next, Stop> {
        match self.tag()? {
            None => return Ok(Next::End),
            Some(0) if self.only_zeros_follow()? => return Ok(Next::End),
            Some(START) => {}
            Some(_) => return Err(Stop::Broken),
        }
        let items = u32::from_le_bytes(self.array()?);
        let seqno = u64::from_le_bytes(self.array()?);
        self.checksum.reset();
        let mut round = None;
        for _ in 0..items {
            let is_round = self.item()?;
            if is_round && round.is_none() {
                round = RoundRow::read(&self.scratch);
            }
        }
        if self.array()? != [END]
            || u64::from_le_bytes(self.array()?) != self.checksum.digest()
            || self.array()? != END_MARK
        {
            return Err(Stop::Broken);
        }
        self.at = self.read;
        round.map(|round| Next::Batch { round, seqno }).ok_or(Stop::Broken)
    }

    /// Reads an item over, and says whether it is the row of a round; then its value is in `scratch`.
    fn item(&mut self) -> Result<bool, Stop> {
        // Tag, kind of value, compression, table.
        let head: [u8; 3 + 8] = self.summed()?;
        let key_bytes = u16::from_le_bytes(self.summed()?);
        let value_bytes = u32::from_le_bytes(self.summed()?);
        let stored_bytes = u32::from_le_bytes(self.summed()?);
        if head[0] != ITEM || head[2] != UNCOMPRESSED || value_bytes != stored_bytes {
            return Err(Stop::Broken);
        }
        let is_round_long = usize::from(key_bytes) == key::ROUND.len() && value_bytes as usize == ROUND_BYTES;
        self.bytes(key_bytes.into())?;
        let is_round = is_round_long && self.scratch == key::ROUND;
        self.bytes(value_bytes.into())?;
        Ok(is_round)
    }

    /// Reads that many bytes into the checksum, piece by piece: an announced length takes no memory. The last piece stays in
    /// `scratch`.
    fn bytes(&mut self, mut left: u64) -> Result<(), Stop> {
        self.scratch.clear();
        while left > 0 {
            let piece = usize::try_from(left).unwrap_or(usize::MAX).min(BUFFER_BYTES);
            self.scratch.resize(piece, 0);
            self.file.read_exact(&mut self.scratch)?;
            self.checksum.update(&self.scratch);
            self.read += piece as u64;
            left -= piece as u64;
        }
        Ok(())
    }

    fn tag(&mut self) -> Result<Option<u8>, Stop> {
        match self.array::<1>() {
            Ok([tag]) => Ok(Some(tag)),
            Err(Stop::Broken) => Ok(None),
            Err(stop) => Err(stop),
        }
    }

    fn only_zeros_follow(&mut self) -> Result<bool, Stop> {
        self.scratch.resize(BUFFER_BYTES, 0);
        loop {
            let read = self.file.read(&mut self.scratch)?;
            if read == 0 {
                return Ok(true);
            }
            if self.scratch.get(..read) != ZEROS.get(..read) {
                return Ok(false);
            }
        }
    }

    fn summed<const N: usize>(&mut self) -> Result<[u8; N], Stop> {
        let array = self.array()?;
        self.checksum.update(&array);
        Ok(array)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Stop> {
        let mut array = [0; N];
        self.file.read_exact(&mut array)?;
        self.read += N as u64;
        Ok(array)
    }
}
