package huawei

import "slices"

// gatewayRules says what the answers of the API gateway mean. All services are behind it, and their rules include these.
var gatewayRules = slices.Concat(
	answers(429, throttled, throttled, "§7: the gateway throttles", "APIGW.0308"),
	answers(401, rejected, rejected, "§7: wrong signature, key, clock or token", "APIGW.0301", "APIGW.0303", "APIGW.0305"),
	answers(403, rejected, rejected, "§7: no permission", "APIGW.0302", "Pdp.0001"),
	answers(401, rejected, rejected, "§7: no permission in the enterprise project", "EPS.0003"),
	answers(404, rejected, rejected, "§7: wrong URL, or an API that this region lacks", "APIGW.0101"),
	answers(0, rejected, rejected, "§7: headers that the gateway does not take, with any 4xx", "APIGW.0106"),
	answers(502, transient, unknown, "§7: the gateway does not reach the service", ""),
	answers(503, transient, unknown, "§7: the service is not available", ""),
	answers(504, transient, unknown, "§7: the service took too long", "APIGW.0201", ""),
)
