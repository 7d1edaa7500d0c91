use tidegate_opamp::KeyValue;

use super::*;
use crate::{Message, parse};

const HASH: SchemaHash = SchemaHash([0xab; 32]);

fn fetch(offset: usize) -> Fetch {
    Fetch { hash: HASH, offset, id: None }
}

#[test]
fn given_a_document_when_cut_into_pieces_and_put_together_then_it_is_the_same() {
    let packed: Vec<u8> = (0..2 * MAX_CHUNK_BYTES + 7).map(|number| (number % 251) as u8).collect();
    let (mut together, mut pieces) = (Vec::new(), 0);
    while let Some(chunk) = Chunk::cut(&packed, &fetch(together.len())) {
        let message = chunk.to_message().unwrap();
        assert_eq!(parse(&message), Ok(Message::SchemaChunk(chunk)));
        let Ok(read) = Chunk::parse(&message.data) else { panic!("it was just read") };
        assert_eq!((read.offset, read.total), (together.len(), packed.len()));
        together.extend_from_slice(&read.data);
        pieces += 1;
    }
    assert_eq!((together == packed, pieces), (true, 3));
    assert_eq!(Chunk::cut(&packed, &fetch(packed.len() + 1)), None);
    assert_eq!(Chunk::cut(&[], &fetch(0)), None);
}

#[test]
fn given_messages_of_both_ends_when_written_then_they_are_read_as_they_were_with_their_ids() {
    let id = Some("q".to_owned());
    let request = Fetch { id: id.clone(), ..fetch(9) };
    assert_eq!(parse(&request.to_message().unwrap()), Ok(Message::SchemaFetch(request.clone())));
    assert_eq!(Chunk::cut(&[7; 20], &request).unwrap().id, id);
    let refusal = Unavailable { hash: Some(HASH), reason: "é".repeat(3000), id };
    let Ok(Message::SchemaUnavailable(read)) = parse(&refusal.to_message().unwrap()) else {
        panic!("a reason is a reason")
    };
    assert_eq!((read.reason.len(), read.hash, read.id), (MAX_TEXT_BYTES, Some(HASH), refusal.id));
}

#[test]
fn given_payloads_beyond_their_bounds_when_read_then_each_is_refused_with_the_field() {
    let hash = "ab".repeat(32);
    let of = |rest: &str| format!(r#"{{"hash":"{hash}",{rest}}}"#);
    let large = STANDARD.encode(vec![0; MAX_CHUNK_BYTES + 1]);
    for (payload, part) in [
        (r#"{"offset":0,"total":9,"data":"AAAA"}"#.to_owned(), "`hash` is missing"),
        (of(r#""total":9,"data":"AAAA""#), "`offset` is missing"),
        (of(r#""offset":0,"data":"AAAA""#), "`total` is missing"),
        (of(r#""offset":0,"total":9"#), "`data` is missing"),
        (of(r#""offset":0,"total":9,"data":"""#), "`data`"),
        (of(r#""offset":0,"total":9,"data":"A===""#), "`data`"),
        (of(r#""offset":0,"total":9,"data":"é""#), "`data`"),
        (of(r#""offset":0,"total":2,"data":"AAAA""#), "`total`"),
        (of(r#""offset":7,"total":9,"data":"AAAA""#), "`total`"),
        (of(r#""offset":-1,"total":9,"data":"AAAA""#), "`offset`"),
        (of(r#""offset":18446744073709551615,"total":9,"data":"AAAA""#), "`offset`"),
        (of(r#""offset":0,"total":1048577,"data":"AAAA""#), "`total`"),
        (of(&format!(r#""offset":0,"total":1048576,"data":"{large}""#)), "`data`"),
        (r#"{"hash":"abc","offset":0,"total":9,"data":"AAAA"}"#.to_owned(), "`hash`"),
        (format!(r#"{{"hash":"{}","offset":0,"total":9,"data":"AAAA"}}"#, "x".repeat(64)), "`hash`"),
        (format!(r#"{{"x":"{}"}}"#, "x".repeat(crate::MAX_DATA_BYTES)), "at most"),
        ("[]".to_owned(), "not a JSON object"),
    ] {
        let error = Chunk::parse(payload.as_bytes()).unwrap_err().to_string();
        assert!(error.contains(part), "{payload:.80}: {error}");
    }
    assert!(Fetch::parse(b"{}").is_err() && Unavailable::parse(b"{}").is_err());
}

#[test]
fn given_hashes_when_written_then_they_are_read_again_and_others_are_not() {
    let hash = SchemaHash::of(b"document");
    assert_eq!(hash.to_string().parse(), Ok(hash));
    for wrong in ["", "ab", &"g".repeat(64), &"ab".repeat(33), &"é".repeat(32)] {
        assert_eq!(wrong.parse::<SchemaHash>(), Err(NotAHash), "{wrong}");
    }
}

fn list(schema: &str) -> BTreeMap<String, ComponentDetails> {
    let metadata = vec![KeyValue::text("service.name", "fluent-bit"), KeyValue::text(METADATA, schema)];
    BTreeMap::from([("inputs".to_owned(), ComponentDetails { metadata, ..ComponentDetails::default() })])
}

#[test]
fn given_lists_of_components_when_asked_for_the_schema_then_only_one_under_its_own_hash_is_believed() {
    let named = list(&HASH.to_string());
    assert_eq!(schema_of(&list_hash(&named), &named), Some(HASH));
    assert_eq!(schema_of(&list_hash(&list("x")), &named), None, "another list's hash");
    assert_eq!(schema_of(b"build-1", &named), None);
    assert_eq!(schema_of(&list_hash(&list("x")), &list("x")), None, "no hash of a schema");
    assert_eq!(schema_of(&list_hash(&BTreeMap::new()), &BTreeMap::new()), None);
}
