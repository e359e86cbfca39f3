//! The organization's skills in the protocol's words: the Skills extension, their files as resources, and each
//! one as a prompt.

use rmcp::model::{
    CacheScope, DIRECTORY_MIME_TYPE, GetPromptResult, GetSkillResult, ListPromptsResult, ListResourcesResult,
    ListSkillsResult, Prompt, PromptArgument, PromptMessage, ReadResourceResult, Resource, ResourceContents,
    Role, Skill as ListedSkill, SkillFrontmatter, SkillResource, SkillResources,
};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Map, Value as Json};

use crate::error::{Error, Result, not_found};
use crate::skills::{SKILL_FILE, Skill};
use crate::tools::Ctx;

pub(super) const SCHEME: &str = "skill://";
pub(super) const TEMPLATE: &str = "skill://{skill}/SKILL.md";

const MARKDOWN: &str = "text/markdown";
/// The one argument that every skill takes as a prompt.
const ABOUT: &str = "about";

/// Skills may be edited at any time, and an edit is to be seen within a second.
const TTL_MS: u64 = 1_000;

pub(super) async fn list(ctx: &Ctx) -> Result<ListSkillsResult> {
    let library = ctx.library().await?;
    let skills = library.skills().iter().map(|skill| listed(skill)).collect();
    Ok(ListSkillsResult::with_all_items(skills).with_ttl_ms(TTL_MS).with_cache_scope(CacheScope::Private))
}

/// The skill whose `SKILL.md` is at the address.
pub(super) async fn get(ctx: &Ctx, uri: &str) -> Result<GetSkillResult> {
    let library = ctx.library().await?;
    match address(uri) {
        Some((key, SKILL_FILE)) => library.find(key).map(|skill| GetSkillResult::new(listed(skill))),
        _ => Err(unknown(uri)),
    }
}

/// A file of a skill.
pub(super) async fn read(ctx: &Ctx, uri: &str) -> Result<ReadResourceResult> {
    let library = ctx.library().await?;
    let (key, path) = address(uri).ok_or_else(|| unknown(uri))?;
    let skill = library.get(key).ok_or_else(|| unknown(uri))?;
    let contents = if path == SKILL_FILE {
        ResourceContents::text(skill.text(), uri).with_mime_type(MARKDOWN)
    } else {
        let file = skill.files.iter().find(|file| file.path == path).ok_or_else(|| unknown(uri))?;
        match str::from_utf8(&file.bytes) {
            Ok(text) => ResourceContents::text(text, uri).with_mime_type(kind(path)),
            Err(_) => {
                ResourceContents::blob(BASE64_STANDARD.encode(&file.bytes), uri).with_mime_type(kind(path))
            }
        }
    };
    Ok(ReadResourceResult::new(vec![contents]).with_ttl_ms(TTL_MS).with_cache_scope(CacheScope::Private))
}

/// What lies right inside a folder of a skill.
pub(super) async fn directory(ctx: &Ctx, uri: &str) -> Result<ListResourcesResult> {
    let library = ctx.library().await?;
    let inside = uri.strip_prefix(SCHEME).ok_or_else(|| unknown(uri))?.trim_end_matches('/');
    let (key, folder) = inside.split_once('/').unwrap_or((inside, ""));
    let skill = library.get(key).ok_or_else(|| unknown(uri))?;
    let mut entries = Map::new();
    for path in paths(skill) {
        let Some(rest) = path.strip_prefix(folder) else { continue };
        let rest = if folder.is_empty() { rest } else { rest.strip_prefix('/').unwrap_or_default() };
        match rest.split_once('/') {
            Some((name, _)) => entries.insert(name.to_owned(), Json::from(DIRECTORY_MIME_TYPE)),
            None if rest.is_empty() => None,
            None => entries.insert(rest.to_owned(), Json::from(kind(rest))),
        };
    }
    if entries.is_empty() {
        return Err(unknown(uri));
    }
    let base = format!("{SCHEME}{inside}");
    let entry = |(name, kind): (String, Json)| {
        Resource::new(format!("{base}/{name}"), name).with_mime_type(kind.as_str().unwrap_or_default())
    };
    let resources = entries.into_iter().map(entry).collect();
    Ok(ListResourcesResult::with_all_items(resources)
        .with_ttl_ms(TTL_MS)
        .with_cache_scope(CacheScope::Private))
}

pub(super) async fn prompts(ctx: &Ctx) -> Result<ListPromptsResult> {
    let library = ctx.library().await?;
    let prompt = |skill: &Skill| {
        let about =
            PromptArgument::new(ABOUT).with_description("Whom or what it is about").with_required(false);
        Prompt::new(&skill.key, Some(&skill.description), Some(vec![about])).with_title(&skill.name)
    };
    let prompts = library.skills().iter().map(|skill| prompt(skill)).collect();
    Ok(ListPromptsResult::with_all_items(prompts).with_ttl_ms(TTL_MS).with_cache_scope(CacheScope::Private))
}

/// A skill as what the user says.
pub(super) async fn prompt(
    ctx: &Ctx,
    key: &str,
    arguments: Option<&Map<String, Json>>,
) -> Result<GetPromptResult> {
    let library = ctx.library().await?;
    let skill = library.find(key)?;
    let mut text = format!("Follow these instructions.\n\n{}", skill.body.trim());
    if let Some(about) =
        arguments.and_then(|arguments| arguments.get(ABOUT)?.as_str()).filter(|about| !about.is_empty())
    {
        text.push_str("\n\nIt is about: ");
        text.push_str(about);
    }
    let message = PromptMessage::new_text(Role::User, text);
    Ok(GetPromptResult::new(vec![message]).with_description(&skill.description))
}

/// The keys of the skills that begin like this.
pub(super) async fn complete(ctx: &Ctx, prefix: &str) -> Result<Vec<String>> {
    let library = ctx.library().await?;
    let keys = library.skills().iter().map(|skill| skill.key.clone());
    Ok(keys.filter(|key| key.starts_with(&prefix.to_lowercase())).collect())
}

/// A skill's entry: its address, its frontmatter as it stands in the file, and a digest of each file.
fn listed(skill: &Skill) -> ListedSkill {
    let mut frontmatter = SkillFrontmatter::new(&skill.key, &skill.description);
    for (field, value) in
        skill.frontmatter.iter().filter(|(field, _)| !matches!(field.as_str(), "name" | "description"))
    {
        frontmatter = frontmatter.with_field(field, value.clone());
    }
    let uri = |path: &str| format!("{SCHEME}{}/{path}", skill.key);
    let mut files = vec![SkillResource::from_bytes(uri(SKILL_FILE), skill.text().as_bytes())];
    files.extend(skill.files.iter().map(|file| SkillResource::from_bytes(uri(&file.path), &file.bytes)));
    ListedSkill::new(uri(SKILL_FILE), frontmatter, SkillResources::Files(files))
}

fn paths(skill: &Skill) -> impl Iterator<Item = &str> {
    std::iter::once(SKILL_FILE).chain(skill.files.iter().map(|file| file.path.as_str()))
}

/// The skill and the path inside it that an address names.
fn address(uri: &str) -> Option<(&str, &str)> {
    let (key, path) = uri.strip_prefix(SCHEME)?.split_once('/')?;
    (!key.is_empty() && !path.is_empty()).then_some((key, path))
}

fn unknown(uri: &str) -> Error {
    not_found(format!("Resource not found: {uri}"))
        .hint("skills/list and find_skills name the skills there are")
}

/// A file's type by the end of its name.
fn kind(path: &str) -> &'static str {
    match path.rsplit('.').next() {
        Some("md") => MARKDOWN,
        Some("json") => "application/json",
        Some("csv") => "text/csv",
        Some("html") => "text/html",
        Some("png") => "image/png",
        Some("txt" | "py" | "sh" | "js" | "sql" | "yaml" | "yml" | "toml") => "text/plain",
        _ => "application/octet-stream",
    }
}
