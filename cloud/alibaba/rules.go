package alibaba

import (
	"cmp"
	"slices"

	"github.com/fleetjoin/fleetjoin/cloud/verdict"
	"github.com/fleetjoin/fleetjoin/cloud/wire"
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

// expiredToken also means that the keys must be got anew.
const expiredToken = "InvalidSecurityToken.Expired"

// rules says what the answers of the gateway and of the products mean, after the reference pages of JoinSecurityGroup,
// JoinResourceGroup, CreateSnapshot, CreateImage and ReplaceSystemDisk and the table in §5 of the facts about Alibaba
// Cloud. Where the facts say "look first", a write is Unknown, and a read, which is a look, may simply be tried again.
var rules = slices.Concat(
	// Too fast. The documented status is 400, others were seen.
	answers(0, throttled, throttled, "§5: flow control, the request was not executed",
		"Throttling", "Throttling.User", "Throttling.Api", "Throttling.ConcurrentLimitExceeded", "Rejected.Throttling"),

	// Who we are.
	answers(0, rejected, rejected, "§5: the access key does not exist or is switched off",
		"InvalidAccessKeyId.NotFound", "InvalidAccessKeyId.Inactive"),
	answers(400, rejected, rejected, "§5: wrong secret", "SignatureDoesNotMatch", "IncompleteSignature"),
	answers(400, transient, unknown, "§5: this very request was seen before, so a copy of it may have been executed",
		"SignatureNonceUsed"),
	answers(400, rejected, rejected, "§5: the clock is wrong by more than 15 minutes",
		"InvalidTimeStamp.Expired", "InvalidTimeStamp.Format", "IllegalTimestamp"),
	answers(400, transient, transient, "§5: the keys of the role have ended and are got anew", expiredToken),
	answers(400, rejected, rejected, "§5: no token of this cloud", "InvalidSecurityToken.Malformed"),
	answers(403, rejected, rejected, "§5: no permission", "Forbidden.RAM", "Forbidden", "NoPermission"),
	answers(0, rejected, rejected, "§5: no such API here", "InvalidApi.NotFound", "InvalidVersion", "MissingAction"),

	// Already so. That Duplicate means the group we asked for, only reading it back can tell.
	on("JoinSecurityGroup", answers(403, "", done, "page: already in the group", "InvalidInstanceId.AlreadyExists")),
	on("LeaveSecurityGroup", answers(0, "", done, "§5: not in the group; the status differs by age of the page",
		"InvalidSecurityGroupAssociation.NotFound", "InstanceNotInSecurityGroup")),
	on("JoinResourceGroup", answers(403, "", done, "page: the resource has a group", "InvalidResourceGroup.Duplicate")),

	// What is not there. What is gone is in no group, so that leaving one is as good as done; look before it is believed.
	on("LeaveSecurityGroup", answers(404, "", done, "§5: gone", notFound...)),
	on("RemoveNodePoolNodes", answers(404, "", done, "§5: gone, with all nodes that it had", noCluster...)),
	on("AttachInstances", answers(404, "", rejected, "§5: cluster or pool missing", "NotFound")),
	answers(404, rejected, rejected, "§5: cluster or pool missing",
		"ErrorClusterNotFound", "ErrorNodePoolNotFound", "ErrorClusterNodePoolNotFound"),
	answers(404, rejected, rejected, "page: not there", notFound...),
	answers(404, rejected, rejected, "page: the disk, the snapshot or the image is not there",
		"InvalidDiskId.NotFound", "InvalidSnapshotId.NotFound", "InvalidImageId.NotFound"),
	answers(400, rejected, rejected, "page: no such key pair", "InvalidKeyPairName.NotFound"),
	answers(404, rejected, rejected, "page: the resource, its type or the group is not there",
		"InvalidResourceType.NotFound", "InvalidResourceGroup.NotFound", "InvalidResourceId.NotFound"),

	on("ModifyInstanceDeployment", answers(400, "", rejected, "page: no such deployment set", "DeploymentSet.InvalidId")),

	// Against the limits.
	on("ModifyInstanceDeployment", answers(403, "", rejected, "page: the deployment set is full in the zone",
		"DeploymentSet.InstanceLimitExceeded")),
	answers(403, rejected, rejected, "page: no host has room for the instance", "OperationDenied.NoStock"),
	answers(400, rejected, rejected, "page: in as many groups as can be", "InstanceSecurityGroupLimitExceeded"),
	answers(403, rejected, rejected, "page: in as many groups as can be", "InstanceSecurityGroupLimitExceeded"),
	answers(403, rejected, rejected, "page: the group is full",
		"SecurityGroupInstanceLimitExceeded", "InvalidOperation.NetworkInterfaceCountExceeded"),
	answers(403, rejected, rejected, "page: too many rules on one interface", "AclLimitExceed"),
	answers(403, rejected, rejected, "§5: an instance must stay in one group", "InstanceLastSecurityGroup"),
	answers(403, rejected, rejected, "page: a quota is used up",
		"QuotaExceed.Snapshot", "QuotaExceed.SnapshotQuota", "QuotaExceed.Image"),
	answers(403, rejected, rejected, "page: something must be paid for, or opened, first",
		"InvalidAccountStatus.NotEnoughBalance", "InvalidAccountStatus.SnapshotServiceUnavailable", "DiskInArrears",
		"InstanceExpiredOrInArrears", "INST_HAS_UNPAID_ORDER"),

	// What does not fit together.
	answers(400, rejected, rejected, "page: another VPC, or none", "InvalidInstanceId.Mismatch"),
	answers(403, rejected, rejected, "§5: another VPC, or none", "InvalidInstanceId.Mismatch"),
	answers(400, rejected, rejected, "§5: another VPC", "InvalidOperation.VpcMismatch"),
	answers(403, rejected, rejected, "page: another VPC", "InvalidOperation.VpcMismatch"),
	answers(400, rejected, rejected, "page: the instance type or the group type does not fit",
		"InvalidOperation.NotSupportEnterpriseGroup", "InvalidOperation.MultiGroupType"),
	answers(403, rejected, rejected, "page: an interface or a group that belongs to a product of the cloud",
		"InvalidOperation.InvalidEniType", "InvalidOperation.EniServiceManaged",
		"InvalidOperation.ResourceManagedByCloudProduct"),
	answers(400, rejected, rejected, "page: of another user",
		"InvalidOperation.EniAndGroupNotBelongSameUser", "NotBelongUser"),
	answers(403, rejected, rejected, "page: locked for security, which a person must clear", "InstanceLockedForSecurity"),
	answers(400, rejected, rejected, "page: locked for security, which a person must clear", "InstanceLockedForSecurity"),
	answers(400, rejected, rejected, "page: a disk of which no snapshot or image can be made",
		"DiskCategory.OperationNotSupported", "InvalidDiskCategory.CreateImage"),
	answers(403, rejected, rejected, "page: a disk of which no snapshot can be made", "DiskId.ValueNotSupported",
		"IncorrectDiskType.NotSupport", "IncorrectDiskStatus.NeverAttached", "IncorrectDiskStatus.NeverUsed",
		"IncorrectDiskStatus.Invalid", "HibernationConfigured.InstanceOperationForbidden"),
	answers(403, rejected, rejected, "page: the key of an encrypted disk cannot be used",
		"InvalidParameter.KMSKeyId.CMKUnauthorized", "InvalidParameter.KMSKeyId.CMKNotEnabled",
		"InvalidParameter.KMSKeyId.KMSUnauthorized"),
	on("CreateImage", answers(400, "", rejected, "page: no image can be made of this snapshot", "OperationDenied")),
	on("CreateImage", answers(403, "", rejected, "page: no image can be made of this snapshot", "OperationDenied")),
	answers(403, rejected, rejected, "page: no image can be made of this snapshot", "InvalidSnapshot.TooOld",
		"OperationDenied.InvalidSnapshotCategory", "InvalidSystemSnapshot.Missing"),
	on("ReplaceSystemDisk", answers(400, "", rejected, "page: this image cannot be used for it",
		"OperationDenied", "InvalidParameter.Conflict")),
	answers(403, rejected, rejected, "page: this image cannot be used for it", "ImageNotSubscribed", "ImageRemovedInMarket",
		"QuotaExceed.BuyImage", "ImageNotSupportInstanceType", "IoOptimized.NotSupported", "OperationDenied.ImageNotValid",
		"InvalidParameter.NotMatch", "ChargeTypeViolation"),
	answers(404, rejected, rejected, "page: the image does not fit the size of the system disk",
		"InvalidSystemDiskSize.LessThanImageSize", "InvalidSystemDiskSize.LessThanMinSize",
		"InvalidSystemDiskSize.MoreThanMaxSize"),
	answers(403, rejected, rejected, "page: no resource groups in the region", "InvalidRegionId.ResourceGroup"),

	on("ModifyInstanceDeployment", answers(403, "", rejected, "page: the deployment set cannot be changed, as on a host that it does not allow",
		"DeploymentSet.ModificationFailed")),
	on("ModifyInstanceDeployment", answers(400, "", rejected, "page: the instance has disks of its host",
		"OperationDenied.LocalDiskInstance")),
	on("ModifyInstanceDeployment", answers(404, "", rejected, "page: the instance is in the classic network",
		"InvalidInstanceNetworkType.NotSupport")),

	// Bad requests.
	answers(400, rejected, rejected, "page: no instance id", "InvalidInstanceId.Malformed", "InvalidParam.Malformed"),
	answers(403, rejected, rejected, "page: a malformed parameter", "InvalidInstanceId.Malformed", "InvalidParam.Malformed"),
	answers(403, rejected, rejected, "page: instance and interface at once", "InvalidParam.EniIdAndInstanceId.Conflict"),
	answers(400, rejected, rejected, "page: a parameter is missing", "MissingParameter.RegionId", "MissingParameter"),
	answers(403, rejected, rejected, "page: a parameter is missing", "MissingParameter.RegionId", "MissingParameter"),
	answers(400, rejected, rejected, "§5: a token of an earlier, other request", "IdempotentParameterMismatch"),
	answers(403, rejected, rejected, "page: a token of an earlier, other request",
		"IdempotentParameterMismatch", "InvalidParamter.Conflict"),
	answers(403, rejected, rejected, "page: no token", "InvalidClientToken.Malformed"),
	answers(400, rejected, rejected, "page: no name or tag", "InvalidSnapshotName.Malformed", "InvalidImageName.Malformed",
		"Duplicate.TagKey", "InvalidTagKey.Malformed", "InvalidTagValue.Malformed"),
	answers(400, rejected, unknown, "page: an image of that name exists, perhaps our own", "InvalidImageName.Duplicated"),
	answers(400, rejected, rejected, "page: a password and the image's own at once", "InvalidPasswordParam.Mismatch"),
	on("AttachInstances", answers(202, "", rejected, "§3: said of one instance, which was refused before it was touched",
		"400", "403", "404", "409")),
	answers(200, rejected, unknown, "§1: EDAS has the status in its body", "401", "403", "404"),

	// Occupied.
	answers(400, busy, busy, "page: being created", "InvalidStatus.EniOrInstanceIsBeingCreated"),
	answers(403, busy, busy, "page: being created", "Forbidden.InstanceIsBeingCreated"),
	answers(400, busy, busy, "page: the interface is in a state that passes", "InvalidOperation.InvalidEniState"),
	answers(403, busy, busy, "page: wrong status, mostly one that passes",
		"IncorrectInstanceStatus", "IncorrectInstanceStatus.Initializing"),
	answers(400, busy, busy, "page: wrong status, mostly one that passes", "IncorrectInstanceStatus"),
	on("ModifyInstanceDeployment", answers(400, "", busy, "page: the instance is not stopped", "OperationDenied.UnstoppedInstance")),
	answers(403, busy, busy, "§5: not ready yet", "InstanceNotReady"),
	answers(403, busy, busy, "page: being created", "OperationDenied.InstanceCreating"),
	answers(409, busy, busy, "page: an earlier request is being executed", "InvalidOperation.Conflict"),
	answers(0, busy, busy, "§5: an earlier request is being executed", "OperationConflict", "Operation.Conflict"),
	answers(0, busy, busy, "§5: the request with this token is being executed",
		"LastTokenProcessing", "LastRequestProcessing", "LastOrderProcessing", "IdempotentProcessing"),
	answers(403, busy, busy, "§5: the disk is in a state that passes",
		"DiskInvalid", "IncorrectDiskStatus", "IncorrectDiskStatus.Initializing"),
	answers(403, busy, busy, "page: the disk is on the move, or another snapshot of it is under way",
		"IncorrectDiskStatus.Transferring", "IncorrectDiskStatus.CreatingSnapshot", "DiskCreatingSnapshot",
		"DISK_HAS_CREATING_SNAPSHOT", "QuotaExceed.ConcurrentSnapshotQuota",
		"InvalidOperation.UnfinishedEncryptedSnapshotCopy", "InvalidSystemDiskStatus.IsTransfering"),
	answers(403, busy, busy, "page: the snapshot is not done yet", "InvalidSnapshotId.NotReady"),
	answers(400, busy, busy, "page: resources follow others into a group", "EntityExists.AssociatedTransferTasks"),
	answers(403, busy, busy, "page: the resource group is being created or deleted", "InvalidStatus.ResourceGroup"),

	// Nothing but a question.
	answers(0, done, done, "§5: a dry run that would have worked", "DryRunOperation"),

	// Trouble that says so.
	answers(500, transient, unknown, "page: trouble inside the cloud", "InternalError"),
	answers(500, transient, unknown, "§5: trouble inside the cloud", "UnknownError"),
	on("ReplaceSystemDisk", answers(500, "", unknown, "page: trouble inside the cloud", "OperationDenied")),
	on("CreateSnapshot", answers(400, "", unknown, "page: trouble inside the cloud", "CreateSnapshot.Failed")),
	answers(503, transient, unknown, "§5: a write may have been executed", "ServiceUnavailable"),
)

// What ECS says of a group, an instance or an interface that does not exist, with the synonyms of other actions.
var notFound = []string{"InvalidSecurityGroupId.NotFound", "InvalidInstanceId.NotFound", "InvalidEniId.NotFound",
	"Forbidden.InstanceNotFound", "Instance.Notfound"}

// What the container service says of a cluster or a node pool that does not exist.
var noCluster = []string{"ErrorClusterNotFound", "ErrorNodePoolNotFound", "ErrorClusterNodePoolNotFound", "NotFound"}

// Rules returns what the answers of the cloud mean, in the order in which they are asked.
func Rules() verdict.Table { return slices.Clone(rules) }

// unmentioned is what is said of an item that the answer to a batch should have and has not.
const unmentioned = "the answer says nothing of this instance"

// itemError is what went wrong with one item of a batch whose answer had this status.
func itemError(o op, status int, code, message, requestID string) *verdict.Error {
	code = wire.Token(code)
	return &verdict.Error{Verdict: ofItem(o, code), Op: o.name, Status: status, Code: code,
		Message: verdict.Redact(cmp.Or(message, "no text")), RequestID: wire.Token(requestID)}
}

// ofItem judges the code of one item in the answer to a batch, which has no status of its own.
func ofItem(o op, code string) verdict.Verdict {
	for _, r := range rules {
		if (r.Op == "" || r.Op == o.name) && r.Code == code {
			return r.Write
		}
	}
	return unknown
}

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
