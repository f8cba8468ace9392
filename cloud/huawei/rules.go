package huawei

import "github.com/fleetjoin/fleetjoin/cloud/verdict"

// rules says what the answers of the gateway and of ECS mean, after the table in §7 of the facts about Huawei. Where
// the facts say "look first", a write is Unknown and a read, which is a look, may simply be tried again. Codes and
// statuses of ECS do not always belong together, so a code stands with a status only where the facts bind them.
var rules = verdict.Table{
	// Too fast.
	{"", 429, "APIGW.0308", verdict.Throttled, verdict.Throttled, "§7: the gateway throttles"},
	{"", 202, "Common.0024", verdict.Throttled, verdict.Unknown, "§0.1: flow limit, or a task that was only postponed"},
	{"", 429, "Common.1503", verdict.Throttled, verdict.Throttled, "§7: flow control of ECS"},
	{"", 503, "Common.1503", verdict.Throttled, verdict.Throttled, "§7: flow control of ECS, as the Chinese pages have it"},

	// Who we are.
	{"", 401, "APIGW.0301", verdict.Rejected, verdict.Rejected, "§7: wrong signature, key, clock or token"},
	{"", 401, "APIGW.0303", verdict.Rejected, verdict.Rejected, "§7: wrong signature, key, clock or token"},
	{"", 401, "APIGW.0305", verdict.Rejected, verdict.Rejected, "§7: wrong signature, key, clock or token"},
	{"", 401, "Common.0013", verdict.Rejected, verdict.Rejected, "§7: wrong signature, key, clock or token"},
	{"", 403, "APIGW.0302", verdict.Rejected, verdict.Rejected, "§7: no permission"},
	{"", 403, "Pdp.0001", verdict.Rejected, verdict.Rejected, "§7: no permission"},
	{"", 403, "Ecs.0003", verdict.Rejected, verdict.Rejected, "§7: no permission"},
	{"", 403, "Ecs.0110", verdict.Rejected, verdict.Rejected, "§7: no permission"},
	{"", 403, "Ecs.0066", verdict.Rejected, verdict.Rejected, "§7: suspended account or no balance"},
	{"", 403, "Ecs.0067", verdict.Rejected, verdict.Rejected, "§7: suspended account or no balance"},
	{"", 403, "Ecs.0068", verdict.Rejected, verdict.Rejected, "§7: suspended account or no balance"},
	{"", 403, "Ecs.0069", verdict.Rejected, verdict.Rejected, "§7: suspended account or no balance"},
	{"", 403, "Ecs.0070", verdict.Rejected, verdict.Rejected, "§7: suspended account or no balance"},
	{"", 403, "Ecs.0071", verdict.Rejected, verdict.Rejected, "§7: suspended account or no balance"},
	{"", 401, "EPS.0003", verdict.Rejected, verdict.Rejected, "§7: no permission in the enterprise project"},

	// Where we are.
	{"", 404, "APIGW.0101", verdict.Rejected, verdict.Rejected, "§7: wrong URL or region"},
	{"", 0, "APIGW.0106", verdict.Rejected, verdict.Rejected, "§7: the gateway does not take the headers; any 4xx"},
	{"", 400, "Ecs.0023", verdict.Rejected, verdict.Rejected, "§7: the project in the URL is not the key's"},
	{"", 400, "Common.0018", verdict.Rejected, verdict.Rejected, "§7: the project in the URL is not the key's"},

	// What is not there. A missing server cannot be a member: for a removal that is as good as done.
	{"DeleteServerGroupMember", 404, "Ecs.0114", verdict.Done, verdict.Done, "§7: server missing, so no member"},
	{"DeleteServerGroupMember", 404, "Ecs.0614", verdict.Done, verdict.Done, "§7: server missing, so no member"},
	{"", 404, "Ecs.0114", verdict.Rejected, verdict.Rejected, "§7: server missing"},
	{"", 404, "Ecs.0614", verdict.Rejected, verdict.Rejected, "§7: server missing"},
	// The shape of "no such group" is not established; on a removal the group must be looked at before it is believed.
	{"AddServerGroupMember", 404, "itemNotFound", verdict.Rejected, verdict.Rejected, "§7: group missing"},
	{"AddServerGroupMember", 404, "", verdict.Rejected, verdict.Rejected, "§7: group missing, shape unknown"},
	{"AddServerGroupMember", 400, "Ecs.0313", verdict.Rejected, verdict.Rejected, "§7: group missing"},
	{"DeleteServerGroupMember", 404, "itemNotFound", verdict.Rejected, verdict.Unknown, "§7: group missing, look first"},
	{"DeleteServerGroupMember", 404, "", verdict.Rejected, verdict.Unknown, "§7: group missing, look first"},
	{"DeleteServerGroupMember", 400, "Ecs.0313", verdict.Rejected, verdict.Unknown, "§7: group missing, look first"},
	{"", 404, "itemNotFound", verdict.Rejected, verdict.Unknown, "§7: what OpenStack does not find"},
	{"", 400, "Ecs.0313", verdict.Rejected, verdict.Unknown, "§7: group missing"},

	// Occupied.
	{"", 501, "Ecs.0603", verdict.Busy, verdict.Busy, "§7: another command is executing, in spite of the 501"},
	{"", 400, "Ecs.0100", verdict.Busy, verdict.Busy, "§7: wrong status, mostly one that passes"},
	{"", 400, "Ecs.0605", verdict.Busy, verdict.Busy, "§7: locked; the lock of an order clears"},

	// Against the limits.
	{"", 400, "Ecs.0022", verdict.Rejected, verdict.Rejected, "§7: the group is full"},
	{"", 400, "Ecs.0118", verdict.Rejected, verdict.Rejected, "§7: too many servers in one call"},
	{"", 400, "Ecs.0226", verdict.Transient, verdict.Unknown, "§7: no capacity on start, look at the server"},
	{"", 400, "Ecs.0319", verdict.Transient, verdict.Unknown, "§7: no capacity on start, look at the server"},

	// Bad requests, and what only looks like one.
	{"", 400, "Ecs.0000", verdict.Rejected, verdict.Unknown, "§7: bad request, but also the code for all else"},
	{"", 400, "Ecs.0005", verdict.Rejected, verdict.Unknown, "§7: bad request, but also the code for all else"},
	{"", 400, "Common.0002", verdict.Rejected, verdict.Unknown, "§7: bad request, but also the code for all else"},
	{"", 400, "Ecs.1000", verdict.Transient, verdict.Unknown, "§7: trouble inside the cloud dressed as a 400"},
	{"", 400, "Ecs.1001", verdict.Transient, verdict.Unknown, "§7: trouble inside the cloud dressed as a 400"},
	{"", 400, "Ecs.1002", verdict.Transient, verdict.Unknown, "§7: trouble inside the cloud dressed as a 400"},
	{"", 400, "Ecs.1100", verdict.Transient, verdict.Unknown, "§7: trouble inside the cloud dressed as a 400"},
	{"", 400, "Ecs.1200", verdict.Transient, verdict.Unknown, "§7: trouble inside the cloud dressed as a 400"},
	{"", 400, "Ecs.1201", verdict.Transient, verdict.Unknown, "§7: trouble inside the cloud dressed as a 400"},
	{"", 400, "Ecs.0002", verdict.Transient, verdict.Unknown, "§7: trouble inside the cloud dressed as a 400"},
	{"", 400, "Ecs.0301", verdict.Transient, verdict.Unknown, "§7: trouble inside the cloud dressed as a 400"},

	// Jobs. A query may fail inside a body with status 200, so the status is left open.
	{"ShowJob", 0, "Common.0011", verdict.Rejected, verdict.Unknown, "§7: unknown or forgotten job; only servers tell"},
	{"ShowJob", 0, "Common.0021", verdict.Transient, verdict.Unknown, "§7: the query failed"},
	{"ShowJob", 0, "Common.0025", verdict.Transient, verdict.Unknown, "§7: the query failed"},
	{"ShowJob", 0, "Common.0026", verdict.Transient, verdict.Unknown, "§7: the query failed"},

	// Trouble that says so. A 504 was seen although the write took effect.
	{"", 500, "Common.0001", verdict.Transient, verdict.Unknown, "§7: trouble inside the cloud"},
	{"", 500, "Ecs.0615", verdict.Transient, verdict.Unknown, "§7: trouble inside the cloud"},
	{"", 504, "APIGW.0201", verdict.Transient, verdict.Unknown, "§7: the service behind the gateway took too long"},
	{"", 502, "", verdict.Transient, verdict.Unknown, "§7: the gateway has no service behind it"},
	{"", 503, "", verdict.Transient, verdict.Unknown, "§7: not available"},
	{"", 504, "", verdict.Transient, verdict.Unknown, "§7: the service behind the gateway took too long"},
}
