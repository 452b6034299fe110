"""Every line of the checklists in the reference is linked to tests that exist.
Tests ``docs/reference/s1.md``, ``docs/reference/s2.md`` and ``docs/reference/s3.md``."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
LISTS = sorted((ROOT / "docs" / "reference").glob("s[0-9].md"))
#: What another part of S3 brings, as its lines say it.
_LATER = re.compile(r"\| later: (people and rooms|messages|attachments|platform) \|$")
#: The tables of S3 with their columns, as its document has them.
S3_TABLES = {
    "users": "id app_id external_id username email password_hash display_name avatar_url bio user_type is_deactivated"
    " deactivated_at team_id metadata is_online last_seen_at created_at updated_at",
    "channels": "id app_id type name description avatar_url team_id is_distinct is_frozen slow_mode cooldown metadata"
    " settings created_by created_at updated_at last_message_at truncated_at",
    "channel_members": "id channel_id user_id role joined_at last_read_at unread_count is_muted is_banned"
    " is_shadow_banned banned_at ban_expires_at is_hidden invite_accepted_at invite_rejected_at",
    "messages": "id channel_id user_id parent_message_id text type status is_silent is_pinned pinned_at pinned_by"
    " scheduled_for metadata attachments mentions quoted_message_id is_deleted deleted_at is_hard_deleted is_edited"
    " edited_at created_at updated_at",
    "message_reactions": "id message_id user_id emoji created_at",
    "message_reads": "id message_id user_id read_at",
    "teams": "id app_id name metadata created_at updated_at",
    "user_devices": "id user_id device_id push_provider push_token platform last_active_at registered_at",
    "webhooks": "id app_id name url webhook_type events secret is_active retry_count timeout_ms created_at updated_at",
    "webhook_logs": "id webhook_id event_type payload response_status response_body attempt_count delivered_at"
    " created_at",
    "campaigns": "id app_id name message target_channels target_users scheduled_for status sent_count delivered_count"
    " read_count created_at updated_at",
    "block_lists": "id app_id name list_type entries is_active created_at updated_at",
    "moderation_queue": "id app_id message_id user_id reason status reviewed_by reviewed_at created_at",
    "message_drafts": "id channel_id user_id text attachments mentions created_at updated_at",
    "applications": "id name api_key api_secret plan_id settings webhook_url webhook_secret is_active created_at"
    " updated_at",
    "subscription_plans": "id name tier monthly_price yearly_price features limits created_at",
    "usage_metrics": "id app_id metric_type value timestamp",
    "Redis": "user:presence:{userId} channel:typing:{channelId}:{userId} channel:online:{channelId}"
    " channel:watchers:{channelId} draft:{channelId}:{userId} revoked:token:{tokenId}"
    " ratelimit:channel:{channelId}:{userId} webhook:retry:{webhookId} session:{sessionId}"
    " ratelimit:{userId}:{endpoint} queue:messages",
}
_LINK = re.compile(r"\[([^\]]+)\]\(\.\./\.\./(tests/[^)]+\.py)\)")


@pytest.mark.parametrize("path", LISTS, ids=lambda path: path.stem)
def test_every_line_names_a_test_that_exists(path: Path) -> None:
    lines = [line for line in path.read_text().splitlines() if line.startswith("| ") and "| --- |" not in line]
    lines = [line for line in lines if not line.endswith("| shown by |")]
    assert len(lines) > 20
    for line in lines:
        links = _LINK.findall(line)
        if path.stem == "s3" and _LATER.search(line):
            assert not links, f"expected no test of what comes later in: {line}"
            continue
        assert links, f"expected a test in: {line}"
        for name, file in links:
            text = (ROOT / file).read_text()
            assert file.endswith(name) or re.search(rf"^(async )?def {name}\(", text, re.MULTILINE), (
                f"{file}: no {name}"
            )


def test_there_is_a_list() -> None:
    assert LISTS


def test_each_table_and_column_of_s3_is_there() -> None:
    _, *sections = (ROOT / "docs" / "reference" / "s3.md").read_text().split("\n## ")
    found = {}
    for section in sections:
        title, *lines = section.splitlines()
        first = [line.split(" | ")[0] for line in lines if line.startswith("| ")]
        found[title] = {name for cell in first for name in re.findall(r"`([^`]+)`", cell)}
    assert found == {table: set(names.split()) for table, names in S3_TABLES.items()}
