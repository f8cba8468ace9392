package huawei

import "slices"

// cceRules says what the answers of CCE mean, as rules does for ECS. That something is said to exist
// or to be occupied may be about a write of our own whose answer was lost.
var cceRules = slices.Concat(
	gatewayRules,

	// Too fast.
	answers(429, throttled, throttled, "§7: CCE throttles", "CCE.02429001"),
	answers(429, throttled, throttled, "§7: too many tasks at once", "CCE.01429003"),

	// Who we are.
	answers(401, rejected, rejected, "§7: wrong signature, key, clock or token",
		"Common.0013", "CCE.01401001", "CCE.02401001", "CCE.03401001"),
	answers(403, rejected, rejected, "§7: no permission",
		"CCE.01403001", "CCE.02403001", "CCE.03403001", "CCE.01403002", "CCE.02403002", "CCE.03403002"),

	// Where we are.
	answers(400, rejected, rejected, "§7: the project of the URL is not the key's", "Common.0018"),

	// What is not there. A missing node is none any more, so its removal is as good as done.
	on("RemoveNode", answers(404, done, done, "§7: node missing", "CCE.01404001")),
	answers(404, rejected, rejected, "§7: cluster, pool, node or job missing", "CCE.01404001"),

	// Occupied. A 403 of these is about a state, not about a permission.
	answers(429, busy, busy, "§7: another request has the lock", "CCE.01429002"),
	answers(400, busy, busy, "§7: the state of the cluster or the node forbids it", "CCE.01400024"),
	answers(403, busy, busy, "§7: the state of the cluster, the pool or the node forbids it", "CCE.01403003", "CCE.01403004",
		"CCE.01403005", "CCE.01403006", "CCE.01403007", "CCE.01403008", "CCE.01403009"),
	answers(409, transient, transient, "§7: changed meanwhile, nothing was done", "CCE.01409002"),
	answers(409, rejected, unknown, "§7: exists already", "CCE.01409001"),

	// Bad requests and limits.
	answers(400, rejected, rejected, "§7: invalid, as most preconditions that do not hold", "CCE.01400001"),
	answers(400, rejected, rejected, "§7: a quota is used up", "CCE.01400007", "CCE.01400008", "CCE.01400009",
		"CCE.01400010", "CCE.01400011", "CCE.01400012", "CCE.01400013", "CCE.01400019", "CCE.01400020", "CCE.01400025"),
	answers(400, rejected, rejected, "§7: the cluster takes no more nodes", "CCE.01400014"),

	// Trouble that says so. A 504 was seen although the nodes were made.
	answers(500, transient, unknown, "§7: trouble inside the cloud", "CCE.01500001", "CCE.02500001", "CCE.03500001"),
)
