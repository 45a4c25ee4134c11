//! Every verb of containers, on real ones. Needs root, or to be root in a user namespace
//! (`unshare -Urmn`).

mod case;
mod support;

use case::{Case, Said};

fn said(stdout: &str, stderr: &str, code: u8) -> Said {
    Said { stdout: stdout.to_owned(), stderr: stderr.to_owned(), code: Some(code) }
}

#[test]
fn output_and_exit_code_come_back() {
    let case = Case::new();
    let found = case.run(&["sh", "-c", "echo out; echo err >&2; exit 7"], |_| {});
    assert_eq!(found, said("out\n", "err\n", 7));
}
