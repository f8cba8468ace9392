package alibaba

// expected is what the pages and the facts say, written down a second time: action, status and code to the verdicts of a
// read and of a write; "-" stands for any, or for none.
const expected = `
	- 0 Throttling                          throttled throttled
	- 0 Throttling.User                     throttled throttled
	- 0 Throttling.Api                      throttled throttled
	- 0 Throttling.ConcurrentLimitExceeded  throttled throttled
	- 0 Rejected.Throttling                 throttled throttled

	- 0   InvalidAccessKeyId.NotFound    rejected rejected
	- 0   InvalidAccessKeyId.Inactive    rejected rejected
	- 400 SignatureDoesNotMatch          rejected rejected
	- 400 IncompleteSignature            rejected rejected
	- 400 SignatureNonceUsed             transient unknown
	- 400 InvalidTimeStamp.Expired       rejected rejected
	- 400 InvalidTimeStamp.Format        rejected rejected
	- 400 IllegalTimestamp               rejected rejected
	- 400 InvalidSecurityToken.Expired   transient transient
	- 400 InvalidSecurityToken.Malformed rejected rejected
	- 403 Forbidden.RAM                  rejected rejected
	- 403 Forbidden                      rejected rejected
	- 403 NoPermission                   rejected rejected
	- 0   InvalidApi.NotFound            rejected rejected
	- 0   InvalidVersion                 rejected rejected
	- 0   MissingAction                  rejected rejected

	ModifyInstanceDeployment 400 DeploymentSet.InvalidId               - rejected
	ModifyInstanceDeployment 403 DeploymentSet.InstanceLimitExceeded   - rejected
	ModifyInstanceDeployment 403 DeploymentSet.ModificationFailed      - rejected
	ModifyInstanceDeployment 400 OperationDenied.LocalDiskInstance     - rejected
	ModifyInstanceDeployment 404 InvalidInstanceNetworkType.NotSupport - rejected
	ModifyInstanceDeployment 400 OperationDenied.UnstoppedInstance     - busy
	- 403 OperationDenied.NoStock         rejected rejected

	JoinSecurityGroup  403 InvalidInstanceId.AlreadyExists            - done
	LeaveSecurityGroup 0   InvalidSecurityGroupAssociation.NotFound   - done
	LeaveSecurityGroup 0   InstanceNotInSecurityGroup                 - done
	JoinResourceGroup  403 InvalidResourceGroup.Duplicate             - done

	LeaveSecurityGroup 404 InvalidSecurityGroupId.NotFound - done
	LeaveSecurityGroup 404 InvalidInstanceId.NotFound      - done
	LeaveSecurityGroup 404 InvalidEniId.NotFound           - done
	LeaveSecurityGroup 404 Forbidden.InstanceNotFound      - done
	LeaveSecurityGroup 404 Instance.Notfound               - done
	- 404 InvalidSecurityGroupId.NotFound rejected rejected
	- 404 InvalidInstanceId.NotFound      rejected rejected
	- 404 InvalidEniId.NotFound           rejected rejected
	- 404 Forbidden.InstanceNotFound      rejected rejected
	- 404 Instance.Notfound               rejected rejected
	- 404 InvalidResourceType.NotFound    rejected rejected
	- 404 InvalidResourceGroup.NotFound   rejected rejected
	- 404 InvalidResourceId.NotFound      rejected rejected

	- 400 InstanceSecurityGroupLimitExceeded             rejected rejected
	- 403 InstanceSecurityGroupLimitExceeded             rejected rejected
	- 403 SecurityGroupInstanceLimitExceeded             rejected rejected
	- 403 InvalidOperation.NetworkInterfaceCountExceeded rejected rejected
	- 403 AclLimitExceed                                 rejected rejected
	- 403 InstanceLastSecurityGroup                      rejected rejected

	- 400 InvalidInstanceId.Mismatch                    rejected rejected
	- 403 InvalidInstanceId.Mismatch                    rejected rejected
	- 400 InvalidOperation.VpcMismatch                  rejected rejected
	- 403 InvalidOperation.VpcMismatch                  rejected rejected
	- 400 InvalidOperation.NotSupportEnterpriseGroup    rejected rejected
	- 400 InvalidOperation.MultiGroupType               rejected rejected
	- 403 InvalidOperation.InvalidEniType               rejected rejected
	- 403 InvalidOperation.EniServiceManaged            rejected rejected
	- 403 InvalidOperation.ResourceManagedByCloudProduct rejected rejected
	- 400 InvalidOperation.EniAndGroupNotBelongSameUser rejected rejected
	- 400 NotBelongUser                                 rejected rejected
	- 403 InstanceLockedForSecurity                     rejected rejected
	- 403 InvalidRegionId.ResourceGroup                 rejected rejected

	- 400 InvalidInstanceId.Malformed            rejected rejected
	- 400 InvalidParam.Malformed                 rejected rejected
	- 403 InvalidInstanceId.Malformed            rejected rejected
	- 403 InvalidParam.Malformed                 rejected rejected
	- 403 InvalidParam.EniIdAndInstanceId.Conflict rejected rejected
	- 400 MissingParameter.RegionId              rejected rejected
	- 400 MissingParameter                       rejected rejected
	- 403 MissingParameter.RegionId              rejected rejected
	- 403 MissingParameter                       rejected rejected
	- 400 IdempotentParameterMismatch            rejected rejected

	- 400 InvalidStatus.EniOrInstanceIsBeingCreated busy busy
	- 403 Forbidden.InstanceIsBeingCreated          busy busy
	- 400 InvalidOperation.InvalidEniState          busy busy
	- 403 IncorrectInstanceStatus                   busy busy
	- 403 IncorrectInstanceStatus.Initializing      busy busy
	- 403 InstanceNotReady                          busy busy
	- 409 InvalidOperation.Conflict                 busy busy
	- 0   OperationConflict                         busy busy
	- 0   Operation.Conflict                        busy busy
	- 0   LastTokenProcessing                       busy busy
	- 0   LastRequestProcessing                     busy busy
	- 0   LastOrderProcessing                       busy busy
	- 0   IdempotentProcessing                      busy busy
	- 403 DiskInvalid                               busy busy
	- 403 IncorrectDiskStatus                       busy busy
	- 403 IncorrectDiskStatus.Initializing          busy busy
	- 400 EntityExists.AssociatedTransferTasks      busy busy
	- 403 InvalidStatus.ResourceGroup               busy busy

	RemoveNodePoolNodes 404 ErrorClusterNotFound         - done
	RemoveNodePoolNodes 404 ErrorNodePoolNotFound        - done
	RemoveNodePoolNodes 404 ErrorClusterNodePoolNotFound - done
	RemoveNodePoolNodes 404 NotFound                     - done
	AttachInstances     404 NotFound                     - rejected
	- 404 ErrorClusterNotFound         rejected rejected
	- 404 ErrorNodePoolNotFound        rejected rejected
	- 404 ErrorClusterNodePoolNotFound rejected rejected
	AttachInstances 202 400 - rejected
	AttachInstances 202 403 - rejected
	AttachInstances 202 404 - rejected
	AttachInstances 202 409 - rejected

	- 200 401 rejected unknown
	- 200 403 rejected unknown
	- 200 404 rejected unknown

	- 404 InvalidDiskId.NotFound      rejected rejected
	- 404 InvalidSnapshotId.NotFound  rejected rejected
	- 404 InvalidImageId.NotFound     rejected rejected
	- 400 InvalidKeyPairName.NotFound rejected rejected

	- 403 QuotaExceed.Snapshot                             rejected rejected
	- 403 QuotaExceed.SnapshotQuota                        rejected rejected
	- 403 QuotaExceed.Image                                rejected rejected
	- 403 InvalidAccountStatus.NotEnoughBalance            rejected rejected
	- 403 InvalidAccountStatus.SnapshotServiceUnavailable  rejected rejected
	- 403 DiskInArrears                                    rejected rejected
	- 403 InstanceExpiredOrInArrears                       rejected rejected
	- 403 INST_HAS_UNPAID_ORDER                            rejected rejected

	- 400 InstanceLockedForSecurity                        rejected rejected
	- 400 DiskCategory.OperationNotSupported               rejected rejected
	- 400 InvalidDiskCategory.CreateImage                  rejected rejected
	- 403 DiskId.ValueNotSupported                         rejected rejected
	- 403 IncorrectDiskType.NotSupport                     rejected rejected
	- 403 IncorrectDiskStatus.NeverAttached                rejected rejected
	- 403 IncorrectDiskStatus.NeverUsed                    rejected rejected
	- 403 IncorrectDiskStatus.Invalid                      rejected rejected
	- 403 HibernationConfigured.InstanceOperationForbidden rejected rejected
	- 403 InvalidParameter.KMSKeyId.CMKUnauthorized        rejected rejected
	- 403 InvalidParameter.KMSKeyId.CMKNotEnabled          rejected rejected
	- 403 InvalidParameter.KMSKeyId.KMSUnauthorized        rejected rejected
	CreateImage 400 OperationDenied                        - rejected
	CreateImage 403 OperationDenied                        - rejected
	- 403 InvalidSnapshot.TooOld                           rejected rejected
	- 403 OperationDenied.InvalidSnapshotCategory          rejected rejected
	- 403 InvalidSystemSnapshot.Missing                    rejected rejected
	ReplaceSystemDisk 400 OperationDenied                  - rejected
	ReplaceSystemDisk 400 InvalidParameter.Conflict        - rejected
	- 403 ImageNotSubscribed                               rejected rejected
	- 403 ImageRemovedInMarket                             rejected rejected
	- 403 QuotaExceed.BuyImage                             rejected rejected
	- 403 ImageNotSupportInstanceType                      rejected rejected
	- 403 IoOptimized.NotSupported                         rejected rejected
	- 403 OperationDenied.ImageNotValid                    rejected rejected
	- 403 InvalidParameter.NotMatch                        rejected rejected
	- 403 ChargeTypeViolation                              rejected rejected
	- 404 InvalidSystemDiskSize.LessThanImageSize          rejected rejected
	- 404 InvalidSystemDiskSize.LessThanMinSize            rejected rejected
	- 404 InvalidSystemDiskSize.MoreThanMaxSize            rejected rejected

	- 403 IdempotentParameterMismatch    rejected rejected
	- 403 InvalidParamter.Conflict       rejected rejected
	- 403 InvalidClientToken.Malformed   rejected rejected
	- 400 InvalidSnapshotName.Malformed  rejected rejected
	- 400 InvalidImageName.Malformed     rejected rejected
	- 400 Duplicate.TagKey               rejected rejected
	- 400 InvalidTagKey.Malformed        rejected rejected
	- 400 InvalidTagValue.Malformed      rejected rejected
	- 400 InvalidImageName.Duplicated    rejected unknown
	- 400 InvalidPasswordParam.Mismatch  rejected rejected

	- 400 IncorrectInstanceStatus                            busy busy
	- 403 OperationDenied.InstanceCreating                   busy busy
	- 403 IncorrectDiskStatus.Transferring                   busy busy
	- 403 IncorrectDiskStatus.CreatingSnapshot               busy busy
	- 403 DiskCreatingSnapshot                               busy busy
	- 403 DISK_HAS_CREATING_SNAPSHOT                         busy busy
	- 403 QuotaExceed.ConcurrentSnapshotQuota                busy busy
	- 403 InvalidOperation.UnfinishedEncryptedSnapshotCopy   busy busy
	- 403 InvalidSystemDiskStatus.IsTransfering              busy busy
	- 403 InvalidSnapshotId.NotReady                         busy busy

	ReplaceSystemDisk 500 OperationDenied    - unknown
	CreateSnapshot 400 CreateSnapshot.Failed - unknown

	- 0   DryRunOperation    done done
	- 500 InternalError      transient unknown
	- 500 UnknownError       transient unknown
	- 503 ServiceUnavailable transient unknown`

// The rows of the tables of errors on the reference pages; of the last three those that our parameters can lead to.
const (
	securityGroupPage = `
	400 InstanceSecurityGroupLimitExceeded
	400 InvalidInstanceId.Mismatch
	400 InvalidInstanceId.Malformed
	400 InvalidOperation.NotSupportEnterpriseGroup
	400 InvalidOperation.MultiGroupType
	400 InvalidOperation.InvalidEniState
	400 InvalidOperation.EniAndGroupNotBelongSameUser
	400 NotBelongUser
	400 MissingParameter.RegionId
	400 InvalidStatus.EniOrInstanceIsBeingCreated
	500 InternalError
	403 IncorrectInstanceStatus
	403 InstanceLockedForSecurity
	403 SecurityGroupInstanceLimitExceeded
	403 InvalidInstanceId.AlreadyExists
	403 AclLimitExceed
	403 InstanceSecurityGroupLimitExceeded
	403 InvalidOperation.NetworkInterfaceCountExceeded
	403 InvalidOperation.ResourceManagedByCloudProduct
	403 InvalidOperation.InvalidEniType
	403 InvalidOperation.VpcMismatch
	403 InvalidOperation.EniServiceManaged
	403 InvalidParam.Malformed
	403 InvalidParam.EniIdAndInstanceId.Conflict
	403 Forbidden.InstanceIsBeingCreated
	404 InvalidSecurityGroupId.NotFound
	404 InvalidInstanceId.NotFound
	404 InvalidEniId.NotFound
	409 InvalidOperation.Conflict`
	resourceGroupPage = `
	400 EntityExists.AssociatedTransferTasks
	403 MissingParameter
	403 InvalidResourceGroup.Duplicate
	403 InvalidRegionId.ResourceGroup
	403 InvalidStatus.ResourceGroup
	404 InvalidResourceType.NotFound
	404 InvalidResourceGroup.NotFound
	404 InvalidResourceId.NotFound`
	createSnapshotPage = `
	400 InvalidSnapshotName.Malformed
	400 IncorrectInstanceStatus
	400 DiskCategory.OperationNotSupported
	400 Duplicate.TagKey
	400 InvalidTagKey.Malformed
	400 InvalidTagValue.Malformed
	400 CreateSnapshot.Failed
	403 Throttling
	403 IncorrectDiskStatus.CreatingSnapshot
	403 InstanceLockedForSecurity
	403 IncorrectDiskStatus.NeverAttached
	403 QuotaExceed.Snapshot
	403 IncorrectDiskStatus.NeverUsed
	403 DiskInArrears
	403 DiskId.ValueNotSupported
	403 IncorrectDiskStatus
	403 InvalidAccountStatus.NotEnoughBalance
	403 InvalidAccountStatus.SnapshotServiceUnavailable
	403 IdempotentParameterMismatch
	403 IncorrectDiskStatus.Invalid
	403 IncorrectDiskType.NotSupport
	403 IncorrectDiskStatus.Transferring
	403 InvalidParameter.KMSKeyId.CMKUnauthorized
	403 InvalidParameter.KMSKeyId.CMKNotEnabled
	403 InvalidParameter.KMSKeyId.KMSUnauthorized
	403 IdempotentProcessing
	403 DISK_HAS_CREATING_SNAPSHOT
	403 HibernationConfigured.InstanceOperationForbidden
	403 QuotaExceed.SnapshotQuota
	403 InvalidOperation.UnfinishedEncryptedSnapshotCopy
	403 QuotaExceed.ConcurrentSnapshotQuota
	403 InvalidClientToken.Malformed
	404 InvalidDiskId.NotFound
	404 InvalidInstanceId.NotFound
	500 InternalError`
	createImagePage = `
	404 InvalidSnapshotId.NotFound
	400 InvalidImageName.Malformed
	400 InvalidImageName.Duplicated
	403 InvalidSnapshotId.NotReady
	403 InvalidSnapshot.TooOld
	403 OperationDenied
	403 QuotaExceed.Image
	403 InvalidParamter.Conflict
	404 InvalidInstanceId.NotFound
	400 IncorrectInstanceStatus
	400 InstanceLockedForSecurity
	400 MissingParameter
	400 OperationDenied
	400 InvalidDiskCategory.CreateImage
	403 InvalidAccountStatus.NotEnoughBalance
	403 InvalidAccountStatus.SnapshotServiceUnavailable
	403 IncorrectDiskStatus.Invalid
	403 OperationDenied.InvalidSnapshotCategory
	403 QuotaExceed.Snapshot
	403 IncorrectDiskStatus.Transferring
	403 IncorrectDiskStatus
	403 InvalidSystemSnapshot.Missing
	403 IncorrectDiskStatus.CreatingSnapshot
	500 InternalError`
	replaceSystemDiskPage = `
	404 InvalidInstanceId.NotFound
	403 InvalidSystemDiskStatus.IsTransfering
	403 IncorrectDiskStatus
	404 InvalidImageId.NotFound
	403 IncorrectInstanceStatus
	403 InstanceLockedForSecurity
	403 ImageNotSubscribed
	403 ImageRemovedInMarket
	500 OperationDenied
	400 InvalidParameter.Conflict
	404 InvalidSystemDiskSize.MoreThanMaxSize
	500 InternalError
	403 InstanceExpiredOrInArrears
	403 ChargeTypeViolation
	403 DiskCreatingSnapshot
	403 IoOptimized.NotSupported
	403 ImageNotSupportInstanceType
	403 QuotaExceed.BuyImage
	404 InvalidSystemDiskSize.LessThanImageSize
	404 InvalidSystemDiskSize.LessThanMinSize
	403 INST_HAS_UNPAID_ORDER
	400 InvalidPasswordParam.Mismatch
	400 OperationDenied
	403 OperationDenied.InstanceCreating
	400 InvalidKeyPairName.NotFound
	403 InvalidParameter.NotMatch
	400 MissingParameter
	403 OperationDenied.ImageNotValid`
)
