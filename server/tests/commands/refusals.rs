//! What goes wrong is told in one line on standard error, with exit code 1 and nothing on standard output.

use std::fs;

use crate::talaria::{Folder, Ran};

fn assert_told(ran: &Ran, expected: &str) {
    assert!(!ran.is_success && ran.stdout.is_empty(), "{ran:?}");
    assert_eq!(ran.stderr, format!("talaria: {expected}\n"));
}

#[test]
fn refusals_say_what_was_wrong() {
    let folder = Folder::new();
    folder.add_user("@kim");
    let add = |handle, input| folder.run(&["user", "add", handle], input);
    assert_told(&add("@kim", "correct horse\n"), "this handle is taken");
    assert_told(&add("kim", "correct horse\n"), "a handle is `@` and 3 to 32 of a-z 0-9 . _ -");
    assert_told(&add("@lee", "short\n"), "a password is 8 to 256 characters");
    assert_told(&add("@lee", "\n"), "a password is 8 to 256 characters");
    assert_told(&add("@lee", ""), "the password cannot be read: unexpected end of file");
    let named = folder.run(&["user", "add", "@lee", "--name", ""], "correct horse\n");
    assert_told(&named, "name: 1 to 200 characters, not blank, none of them a control character");
    let token = |user, device| folder.run(&["token", user, "--device", device], "");
    for nobody in ["@lee", "7", "kim", "@KIM"] {
        assert_told(&token(nobody, "phone"), &format!("there is no user {nobody}"));
    }
    let device = "device: 1 to 100 characters, not blank, none of them a control character";
    assert_told(&token("@kim", " "), device);
}

#[test]
fn a_mistyped_data_folder_is_told_and_not_made() {
    let folder = Folder::new();
    let ran = folder.run(&["token", "@kim", "--device", "phone"], "");
    assert!(
        !ran.is_success && ran.stderr.contains("there are no accounts in") && ran.stderr.contains("TALARIA_DATA_DIR")
    );
    assert!(!folder.data().exists());
}

#[test]
fn trouble_of_the_database_is_told_with_its_cause() {
    let folder = Folder::new();
    folder.add_user("@kim");
    fs::write(folder.data().join("talaria.db"), "no database at all\n".repeat(1000)).unwrap();
    let ran = folder.run(&["token", "@kim", "--device", "phone"], "");
    assert!(!ran.is_success && ran.stdout.is_empty(), "{ran:?}");
    assert!(ran.stderr.contains("Damaged") && ran.stderr.contains("not a database"), "{ran:?}");
}

#[test]
fn only_the_end_of_the_line_is_taken_from_a_password() {
    let folder = Folder::new();
    for (handle, input) in [("@one", "  correct horse \n"), ("@two", "correct horse\r\n"), ("@three", "correct horse")]
    {
        assert!(folder.run(&["user", "add", handle], input).is_success, "{handle}");
    }
    let again = folder.run(&["user", "add", "@lines"], "correct horse\nthe second line\n");
    assert!(again.is_success, "{again:?}");
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let serving = folder.serve().await;
        for (handle, status) in [("@one", 401), ("@two", 201), ("@three", 201), ("@lines", 201)] {
            assert_eq!(serving.log_in(handle), status, "{handle}");
        }
    });
}
