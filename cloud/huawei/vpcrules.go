package huawei

import "slices"

// vpcRules says what the answers of VPC mean, as rules does for ECS: after the table of error codes in
// its API reference. All of its calls are reads.
var vpcRules = slices.Concat(
	gatewayRules,
	answers(404, rejected, rejected, "the security group does not exist", "VPC.0603", "VPC.9904"),
	answers(400, rejected, rejected, "a parameter makes no sense", "VPC.0601", "VPC.2500", "VPC.9902"),
	answers(400, rejected, rejected, "the project of the URL is not the key's", "VPC.0007"),
	answers(401, rejected, rejected, "suspended account, or not who it says", "VPC.0005", "VPC.0008", "VPC.0009"),
	answers(403, rejected, rejected, "no permission, or no balance", "VPC.0010", "VPC.2201", "VPC.2701"),
	answers(404, transient, unknown, "trouble inside the cloud, in spite of the 404", "VPC.0612"),
	answers(500, transient, unknown, "trouble inside the cloud", "VPC.0602", "VPC.0612"),
)
