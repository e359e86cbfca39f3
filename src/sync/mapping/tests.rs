//! What a mapping makes of an account that is not as declared.

use super::*;
use crate::tables::catalog_as_declared;

fn property(name: &str, kind: &str, options: &[&str]) -> Property {
    Property {
        name: name.to_owned(),
        label: name.replace('_', " "),
        kind: kind.to_owned(),
        read_only: false,
        unique: false,
        multiple: false,
        options: options.iter().map(|option| ((*option).to_owned(), (*option).to_owned())).collect(),
        object_id: None,
    }
}

const STAGES: &[&str] = &[
    "subscriber",
    "lead",
    "marketingqualifiedlead",
    "salesqualifiedlead",
    "opportunity",
    "customer",
    "evangelist",
];

/// A portal that lacks a property, computes one, has one of another type, and a stage less than we have.
fn portal() -> Described {
    let mut contact: Vec<Property> =
        ["firstname", "lastname", "email", "company", "phone", "fax", "nickname"]
            .iter()
            .map(|name| property(name, "string", &[]))
            .collect();
    contact.push(Property { read_only: true, ..property("jobtitle", "string", &[]) });
    contact.push(property("notes_last_contacted", "datetime", &[]));
    contact.push(property("lifecyclestage", "enumeration", &STAGES[..6]));
    contact.push(property("tier", "enumeration", &["gold", "silver"]));
    contact.push(Property { read_only: true, ..property("score", "number", &[]) });
    contact.push(Property { multiple: true, ..property("topics", "enumeration", &["a", "b"]) });
    let company = vec![
        property("name", "string", &[]),
        property("domain", "string", &[]),
        property("annualrevenue", "string", &[]),
    ];
    BTreeMap::from([("contact".to_owned(), contact), ("company".to_owned(), company)])
}

/// The tables with columns of the organization's own.
fn tables() -> Vec<CatalogTable> {
    let mut tables = catalog_as_declared().tables;
    let contacts = tables.iter_mut().find(|table| table.key() == "contacts").unwrap();
    let like = contacts.columns.iter().find(|column| column.key == "title").unwrap().clone();
    let own =
        |key: &str, kind: Kind| CatalogColumn { key: key.to_owned(), kind, custom: true, ..like.clone() };
    contacts.columns.extend([
        own("own_text", Kind::Text),
        own("own_number", Kind::Number),
        own("own_tags", Kind::Tags),
        own("own_person", Kind::Person),
    ]);
    tables
}

fn property_wish(name: &str) -> Wish {
    Wish::Property(name.to_owned(), None)
}

#[test]
fn what_an_account_lacks_is_left_out_and_what_it_computes_is_read() {
    let edits = defaults(System::Hubspot, &tables(), &portal());
    let find =
        |table: &str, column: &str| edits.iter().find(|edit| edit.table == table && edit.column == column);
    let out = |table: &str, column: &str, reason: &str| {
        let edit = find(table, column).unwrap_or_else(|| panic!("{column} is not left out"));
        assert_eq!((edit.property.as_deref(), edit.reason.as_deref()), (None, Some(reason)));
    };
    out("contacts", "linkedin_url", "HubSpot has no property `hs_linkedin_url` for contacts");
    out("companies", "revenue", "`annualrevenue` is of the type string, which `revenue` is not");
    let title = find("contacts", "title").unwrap();
    assert_eq!((title.property.as_deref(), title.way), (Some("jobtitle"), Some(Way::In)));
    assert_eq!(title.reason.as_deref(), Some("HubSpot computes `jobtitle`, so nothing is sent there"));
    for fine in ["email", "first_name", "lifecycle_stage", "last_engagement", "crm_id"] {
        assert_eq!(find("contacts", fine), None, "{fine}");
    }
}

#[test]
fn a_stage_that_is_not_there_is_said_and_refuses_nothing() {
    let tables = tables();
    let contacts = tables.iter().find(|table| table.key() == "contacts").unwrap();
    let column = contacts.find("lifecycle_stage").unwrap();
    let pair = Pair {
        system: System::Hubspot,
        table: contacts,
        column,
        property: "lifecyclestage",
        form: Form::Stage,
        way: Way::Both,
    };
    let finding = check(&pair, &portal()).unwrap();
    assert!(!finding.is_fatal);
    assert_eq!(
        finding.message,
        "`lifecyclestage` has no option for Evangelist: rows with it will not arrive"
    );
    assert_eq!(check(&Pair { way: Way::In, ..pair }, &portal()), None);
}

#[test]
fn a_wish_that_cannot_work_is_refused_with_what_would() {
    let check = |table: &str, column: &str, wish: Wish, path: &str, parts: &[&str]| {
        let error = edit(System::Hubspot, &tables(), &portal(), &[], (table, column), &wish).unwrap_err();
        assert_eq!(error.path.as_deref(), Some(path), "{error}");
        assert!(parts.iter().all(|part| error.to_string().contains(part)), "{error}");
    };
    check("leads", "domain", property_wish("x"), "table", &["contacts, companies"]);
    check("contacts", "own_txt", property_wish("fax"), "column", &["did you mean `own_text`?"]);
    check("contacts", "own_text", property_wish("nickame"), "property", &["did you mean `nickname`?"]);
    check("contacts", "own_text", property_wish("Fax"), "property", &["did you mean `fax`?"]);
    check("contacts", "own_number", property_wish("qqq"), "property", &["no property `qqq`"]);
    check(
        "contacts",
        "own_number",
        property_wish("fax"),
        "property",
        &["of the type string", "types number"],
    );
    check("contacts", "own_number", property_wish("score"), "property", &["computes", "read only"]);
    check("contacts", "own_tags", property_wish("tier"), "property", &["`own_tags` is not"]);
    check("contacts", "own_person", property_wish("fax"), "column", &["members of this organization"]);
    check("contacts", "crm_id", property_wish("fax"), "column", &["the record's own id"]);
    check("contacts", "sync_status", property_wish("fax"), "column", &["worked out"]);
    check("companies", "active_contacts_count", property_wish("name"), "column", &["worked out"]);
    check(
        "contacts",
        "own_text",
        property_wish("phone"),
        "property",
        &["`contacts.phone`", "leave that column out"],
    );
    check("contacts", "own_text", Wish::Policy(Policy::Manual), "policy", &["map it to one first"]);
}

#[test]
fn a_wish_becomes_an_edit_and_the_declared_one_takes_it_away_again() {
    let apply = |edits: &[MappingEdit], column: &str, wish: Wish| {
        edit(System::Hubspot, &tables(), &portal(), edits, ("contacts", column), &wish).unwrap()
    };
    let edits = apply(&[], "own_text", property_wish("fax"));
    assert_eq!((edits[0].property.as_deref(), edits[0].form), (Some("fax"), Some(Form::Text)));
    let edits = apply(&edits, "own_number", Wish::Property("score".to_owned(), Some(Way::In)));
    assert_eq!(edits[1].way, Some(Way::In));
    let edits = apply(&edits, "own_text", Wish::Policy(Policy::AppWins));
    let own = edits.iter().find(|edit| edit.column == "own_text").unwrap();
    assert_eq!((own.property.as_deref(), own.policy), (Some("fax"), Policy::AppWins));
    let edits = apply(&edits, "own_text", Wish::Off);
    let edits = apply(&edits, "own_number", Wish::Off);
    assert_eq!(edits, []);
    let edits = apply(&[], "phone", Wish::Off);
    assert_eq!((edits.len(), edits[0].property.as_deref()), (1, None));
    // A column that is left out leaves its property to another one.
    let edits = apply(&edits, "own_text", property_wish("phone"));
    assert_eq!(edits.len(), 2);
    let edits = apply(&edits, "own_text", Wish::Off);
    assert_eq!(apply(&edits, "phone", property_wish("phone")), []);
    let edits = apply(&[], "email", Wish::Policy(Policy::RemoteWins(System::Hubspot)));
    assert_eq!(edits[0].property.as_deref(), Some("email"));
    assert_eq!(apply(&edits, "email", Wish::Policy(Policy::Lww)), []);
}

#[test]
fn reading_the_properties_again_keeps_decisions_and_drops_what_no_longer_holds() {
    let tables = tables();
    let apply = |edits: &[MappingEdit], column: &str, wish: Wish| {
        edit(System::Hubspot, &tables, &portal(), edits, ("contacts", column), &wish).unwrap()
    };
    let before = renewed(System::Hubspot, &tables, &portal(), &[]);
    let before = apply(&before, "own_text", property_wish("fax"));
    let before = apply(&before, "title", Wish::Policy(Policy::AppWins));
    let mut better = portal();
    let contact = better.get_mut("contact").unwrap();
    contact.push(property("hs_linkedin_url", "string", &[]));
    contact.iter_mut().filter(|it| it.name == "jobtitle").for_each(|it| it.read_only = false);
    let after = renewed(System::Hubspot, &tables, &better, &before);
    let of = |edits: &[MappingEdit], column: &str| {
        edits.iter().find(|edit| edit.table == "contacts" && edit.column == column).cloned()
    };
    let find = |column: &str| of(&after, column);
    assert_eq!(find("linkedin_url"), None);
    assert_eq!(find("own_text").unwrap().property.as_deref(), Some("fax"));
    let title = find("title").unwrap();
    assert_eq!(
        (title.property.as_deref(), title.way, title.policy),
        (Some("jobtitle"), None, Policy::AppWins)
    );
    let again = renewed(System::Hubspot, &tables, &portal(), &after);
    let mut sorted = [before, again];
    for edits in &mut sorted {
        edits.sort_by(|a, b| (&a.table, &a.column).cmp(&(&b.table, &b.column)));
    }
    assert_eq!(sorted[0], sorted[1]);
}

#[test]
fn everything_declared_for_a_crm_fits_the_types_that_it_has() {
    let kinds = [
        (System::Hubspot, "string number bool date datetime enumeration phone_number"),
        (
            System::Attio,
            "text number checkbox currency date timestamp rating status select record-reference domain \
             email-address phone-number interaction personal-name",
        ),
    ];
    for (system, known) in kinds {
        for (table, column) in declared(&tables()) {
            let Some(field) = declared_field(system, table, column) else { continue };
            let wanted = fits::kinds(system, field.form, field.way);
            assert!(!wanted.is_empty(), "{}", column.key);
            assert!(wanted.iter().all(|kind| known.split_whitespace().any(|it| it == *kind)), "{wanted:?}");
        }
    }
}
