//! Signers behind a pipe, played by small shell commands.

use super::*;

const ID: [u8; 32] = [0xab; 32];

fn ask(command: &str) -> Result<(), SignerError> {
    ask_for(command, Duration::from_secs(60))
}

fn ask_for(command: &str, timeout: Duration) -> Result<(), SignerError> {
    let signer = PipeSigner::new(command.to_owned(), secret().public_key(), timeout);
    let sig = signer.sign(&ID, Purpose::Transaction)?;
    assert!(Signed { key: signer.public_key(), sig, message: &ID }.is_valid());
    Ok(())
}

fn answer() -> String {
    let sig = secret().sign(&ID, Purpose::Transaction).expect("signs");
    format!("{{\"signature\":\"{sig}\"}}")
}

#[test]
fn a_command_gets_one_line_and_its_signature_is_taken() {
    let dir = tempfile::tempdir().expect("a directory");
    let asked = dir.path().join("asked");
    let command = format!("cat > '{}'; echo '{}'", asked.display(), answer());
    assert_eq!(ask(&command), Ok(()));
    let asked = fs::read_to_string(asked).expect("the request");
    assert!(asked.ends_with("}\n") && asked.lines().count() == 1, "{asked:?}");
    let asked: Value = serde_json::from_str(&asked).expect("JSON");
    let expected = json!({
        "schema": 1, "key": PUBLIC, "message": hex::encode(ID), "purpose": "transaction"
    });
    assert_eq!(asked, expected);
    // One that reads nothing, one that says more.
    assert_eq!(ask(&format!("echo '{}'", answer())), Ok(()));
    let more = answer().replace('{', "{\"schema\":1,");
    assert_eq!(ask(&format!("cat >/dev/null; printf '%s' '{more}'")), Ok(()));
}

#[test]
fn bad_answers_are_named() {
    for bad in ["hello", "{}", "{\"signature\":\"00\"}", "{\"signature\":7}", "[]", " "] {
        let error = ask(&format!("echo '{bad}'")).expect_err("no signature");
        assert!(matches!(&error, SignerError::BadAnswer { .. }), "{bad}: {error}");
    }
    // Without an end it is cut, not collected.
    let error = ask("exec yes '' | tr '\\n' x").expect_err("no signature");
    assert!(matches!(&error, SignerError::BadAnswer { .. }), "{error}");
    assert!(error.to_string().len() < 300);
}

#[test]
fn a_wrong_signature_is_refused() {
    let sig = secret().sign(&[1; 32], Purpose::Core).expect("signs");
    let other = SecretKey::from_seed(&[3; 32]).sign(&ID, Purpose::Core).expect("signs");
    for sig in [sig, other] {
        let error = ask(&format!("echo '{{\"signature\":\"{sig}\"}}'")).expect_err("wrong");
        assert!(matches!(error, SignerError::WrongSignature { .. }), "{error}");
    }
}

#[test]
fn a_refusal_is_passed_on() {
    let error = ask("echo '{\"error\":\"card locked\"}'").expect_err("refused");
    assert!(error.to_string().ends_with("refuses: card locked"), "{error}");
}

#[test]
fn no_answer_says_how_the_command_ended() {
    let error = ask("exit 3").expect_err("no answer");
    assert!(error.to_string().contains("exit status: 3"), "{error}");
    let error = ask("/nonexistent/signer 2>/dev/null").expect_err("no answer");
    assert!(error.to_string().contains("exit status: 127"), "{error}");
    // It closes its output and stays.
    let error = ask("exec >/dev/null; exec tail -f /dev/null").expect_err("no answer");
    assert!(matches!(error, SignerError::NoAnswer { .. }), "{error}");
}

#[test]
fn silence_ends_at_the_timeout() {
    let error = ask_for("exec tail -f /dev/null", Duration::from_millis(100));
    assert!(matches!(error, Err(SignerError::Timeout { .. })), "{error:?}");
}
