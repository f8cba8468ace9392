package huawei

import (
	"slices"

	"github.com/fleetjoin/fleetjoin/cloud/verdict"
)

// Short names, for a table that reads as one.
const (
	transient = verdict.Transient
	throttled = verdict.Throttled
	busy      = verdict.Busy
	done      = verdict.Done
	rejected  = verdict.Rejected
	unknown   = verdict.Unknown
)

// rules says what the answers of ECS mean, after the table in §7 of the facts about Huawei. Where
// the facts say "look first", a write is Unknown, and a read, which is a look, may simply be tried again.
var rules = slices.Concat(
	gatewayRules,

	// Too fast. The 202 may also be a task that was only postponed.
	answers(202, throttled, unknown, "§0.1: flow limit with a status of success", "Common.0024"),
	answers(429, throttled, throttled, "§7: flow control of ECS", "Common.1503"),
	answers(503, throttled, throttled, "§7: flow control of ECS, by the Chinese pages", "Common.1503"),

	// Who we are.
	answers(401, rejected, rejected, "§7: wrong signature, key, clock or token", "Common.0013"),
	answers(403, rejected, rejected, "§7: no permission", "Ecs.0003", "Ecs.0110"),
	answers(403, rejected, rejected, "§7: suspended account or no balance",
		"Ecs.0066", "Ecs.0067", "Ecs.0068", "Ecs.0069", "Ecs.0070", "Ecs.0071"),

	// Where we are.
	answers(400, rejected, rejected, "§7: the project of the URL is not the key's", "Ecs.0023", "Common.0018"),

	// Security groups, by Nova (V3 to V7 of world.md). What is missing is not in a group, which is all that a removal wants.
	// That a server is in a group already may be told of a write of our own whose answer was lost.
	on("NovaDisassociateSecurityGroup", answers(404, done, done, "server, group or membership missing", "itemNotFound")),
	on("NovaDisassociateSecurityGroup", answers(400, rejected, rejected, "its only group", "badRequest")),
	on("NovaAssociateSecurityGroup", answers(404, rejected, rejected, "server or group missing", "itemNotFound")),
	on("NovaAssociateSecurityGroup", answers(400, rejected, unknown, "in the group already", "badRequest")),
	on("NovaAssociateSecurityGroup", answers(403, rejected, rejected, "in too many groups", "forbidden")),

	// What is not there. A missing server is no member, so its removal is as good as done. How a missing group looks is
	// not established, so before a removal from one is believed, the group must be looked at.
	on("DeleteServerGroupMember", answers(404, done, done, "§7: server missing", "Ecs.0114", "Ecs.0614")),
	answers(404, rejected, rejected, "§7: server missing", "Ecs.0114", "Ecs.0614"),
	on("AddServerGroupMember", answers(404, rejected, rejected, "§7: group missing", "itemNotFound", "")),
	on("AddServerGroupMember", answers(400, rejected, rejected, "§7: group missing", "Ecs.0313")),
	answers(404, rejected, unknown, "§7: group or something else missing", "itemNotFound", ""),
	answers(400, rejected, unknown, "§7: group missing", "Ecs.0313"),

	// Occupied.
	answers(501, busy, busy, "§7: another command is executing, in spite of the 501", "Ecs.0603"),
	answers(400, busy, busy, "§7: wrong status, mostly one that passes", "Ecs.0100"),
	answers(400, busy, busy, "§7: locked; an order's lock clears", "Ecs.0605"),

	// Against the limits.
	answers(400, rejected, rejected, "§7: the group is full", "Ecs.0022"),
	answers(400, rejected, rejected, "§7: too many servers in one call", "Ecs.0118"),
	answers(400, transient, unknown, "§7: no capacity on start", "Ecs.0226", "Ecs.0319"),

	// Bad requests, and what only looks like one.
	answers(400, rejected, unknown, "§7: bad request, but also the code for all else",
		"Ecs.0000", "Ecs.0005", "Common.0002"),
	answers(400, transient, unknown, "§7: trouble inside the cloud dressed as a bad request",
		"Ecs.1000", "Ecs.1001", "Ecs.1002", "Ecs.1100", "Ecs.1200", "Ecs.1201", "Ecs.0002", "Ecs.0301"),

	// Jobs. The query can also fail inside an answer with status 200 (§5), so the status is left open.
	on("ShowJob", answers(0, rejected, unknown, "§7: unknown or forgotten job", "Common.0011")),
	on("ShowJob", answers(0, transient, unknown, "§7: the query failed", "Common.0021", "Common.0025", "Common.0026")),

	// Trouble that says so. A 504 was seen although the write had taken effect.
	answers(500, transient, unknown, "§7: trouble inside the cloud", "Common.0001", "Ecs.0615"),
)

// answers makes one rule for each code; status 0 stands for any.
func answers(status int, read, write verdict.Verdict, why string, codes ...string) verdict.Table {
	var t verdict.Table
	for _, code := range codes {
		t = append(t, verdict.Rule{Status: status, Code: code, Read: read, Write: write, Why: why})
	}
	return t
}

// on restricts rules to one action.
func on(op string, t verdict.Table) verdict.Table {
	for i := range t {
		t[i].Op = op
	}
	return t
}
