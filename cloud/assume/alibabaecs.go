package assume

import (
	"context"
	"fmt"
	"slices"
	"time"
)

const (
	joinPage  = "ECS API, JoinSecurityGroup"
	leavePage = "ECS API, LeaveSecurityGroup"
	movePage  = "ECS API, JoinResourceGroup"
	listPage  = "Resource Management API, ListResources"
)

// OfAlibaba returns all assumptions about Alibaba Cloud.
func OfAlibaba() []Assumption[*Alibaba] {
	return slices.Concat(alibabaGroups(), alibabaResources(), edas(), containers(), deploymentSets())
}

// with needs resources for a check.
func with(do func(c *Alibaba, ids []string) error, parts ...string) func(context.Context, *Alibaba) error {
	return func(_ context.Context, c *Alibaba) error {
		ids, err := c.need(parts...)
		if err != nil {
			return err
		}
		return do(c, ids)
	}
}

func alibabaGroups() []Assumption[*Alibaba] {
	const join, leave, group, instance, eni = "JoinSecurityGroup", "LeaveSecurityGroup", "SecurityGroupId", "InstanceId", "NetworkInterfaceId"
	return []Assumption[*Alibaba]{
		{Claim{ID: "A1", Says: "Join- and LeaveSecurityGroup need `RegionId` (the parameter table says no, the error table yes)",
			Source: joinPage, Writes: true}, with(func(c *Alibaba, ids []string) error {
			for _, action := range []string{join, leave} {
				_, seen, err := c.call("ecs", action, group, ids[0], instance, ids[1])
				if err := first(err, equal("the answer to "+action, seen, refusal{400, "MissingParameter.RegionId"})); err != nil {
					return err
				}
			}
			return nil
		}, "group", "running")},
		{Claim{ID: "A2", Says: "joining again", Source: joinPage + " lists the code", Writes: true}, with(func(c *Alibaba, ids []string) error {
			return first(c.ends(403, "InvalidInstanceId.AlreadyExists", join, group, ids[0], instance, ids[1]),
				c.ends(403, "InvalidInstanceId.AlreadyExists", join, group, ids[0], eni, ids[2]))
		}, "its group", "running", "interface")},
		{Claim{ID: "A3", Says: "InstanceSecurityGroupLimitExceeded, listed twice, is 400 for an instance and 403 for a network interface; another VPC is InvalidInstanceId.Mismatch (400) and InvalidOperation.VpcMismatch (403)",
			Source: joinPage, Writes: true}, with(func(c *Alibaba, ids []string) error {
			return first(c.ends(400, "InstanceSecurityGroupLimitExceeded", join, group, ids[0], instance, ids[1]),
				c.ends(403, "InstanceSecurityGroupLimitExceeded", join, group, ids[0], eni, ids[2]),
				c.ends(400, "InvalidInstanceId.Mismatch", join, group, ids[3], instance, ids[4]),
				c.ends(403, "InvalidOperation.VpcMismatch", join, group, ids[3], eni, ids[5]))
		}, "group", "full instance", "full interface", "group elsewhere", "running", "interface")},
		{Claim{ID: "A4", Says: "leaving a group that one is not in", Source: leavePage + "; the status differs by its age", Writes: true},
			with(func(c *Alibaba, ids []string) error {
				return c.ends(404, "InvalidSecurityGroupAssociation.NotFound", leave, group, ids[0], instance, ids[1])
			}, "group", "running")},
		{Claim{ID: "A5", Says: "a primary network interface's groups can be changed by its own id", Source: guess, Writes: true},
			with(func(c *Alibaba, ids []string) error {
				body, _, err := c.ecs("DescribeNetworkInterfaces", instance, ids[1], "Type", "Primary")
				if err != nil {
					return err
				}
				primary, _ := body.at("NetworkInterfaceSets.NetworkInterfaceSet.0.NetworkInterfaceId").(string)
				if primary == "" {
					return &missing{"primary network interface"}
				}
				return c.ends(403, "InvalidOperation.InvalidEniType", join, group, ids[0], eni, primary)
			}, "group", "running")},
		{Claim{ID: "A6", Says: "stopping what is stopped, starting what runs", Source: "ECS API, StopInstance and StartInstance", Writes: true},
			with(func(c *Alibaba, ids []string) error {
				return first(c.ends(403, "IncorrectInstanceStatus", "StopInstance", instance, ids[0]),
					c.ends(403, "IncorrectInstanceStatus", "StartInstance", instance, ids[1]))
			}, "stopped", "running")},
		{Claim{ID: "A8", Says: "a start that finds no host is refused at once", Source: "ECS API, StartInstance", Writes: true},
			with(func(c *Alibaba, ids []string) error {
				return c.ends(403, "OperationDenied.NoStock", "StartInstance", instance, ids[0])
			}, "without a host")},
		{Claim{ID: "A9", Says: "the codes of ModifyInstanceAttribute and ModifyNetworkInterfaceAttribute are those of joining; an instance in the classic network gets InvalidInstanceId.Mismatch",
			Source: guess, Writes: true}, with(func(c *Alibaba, ids []string) error {
			const one = "SecurityGroupIds.1"
			return first(c.ends(404, "InvalidSecurityGroupId.NotFound", "ModifyInstanceAttribute", instance, ids[0], one, "sg-none"),
				c.ends(403, "InvalidOperation.VpcMismatch", "ModifyNetworkInterfaceAttribute", eni, ids[1], "SecurityGroupId.1", ids[2]),
				c.ends(400, "InvalidInstanceId.Mismatch", "ModifyInstanceAttribute", instance, ids[3], one, ids[4]))
		}, "running", "interface", "group elsewhere", "classic", "group")},
		{Claim{ID: "A10", Says: "another account's resource does not exist; but its network interface gives NotBelongUser, and its group, for a network interface, InvalidOperation.EniAndGroupNotBelongSameUser",
			Source: joinPage + " lists the codes", Writes: true}, with(func(c *Alibaba, ids []string) error {
			return first(c.ends(404, "InvalidInstanceId.NotFound", join, group, ids[0], instance, ids[1]),
				c.ends(400, "NotBelongUser", join, group, ids[0], eni, ids[2]),
				c.ends(400, "InvalidOperation.EniAndGroupNotBelongSameUser", join, group, ids[3], eni, ids[4]))
		}, "group", "another's instance", "another's interface", "another's group", "interface")},
		{Claim{ID: "A16", Says: "how an instance is stopped if the call does not say", Source: "ECS API, StopInstance: by the account's setting",
			Writes: true}, with(func(c *Alibaba, ids []string) error {
			if err := c.ends(200, "", "StopInstance", instance, ids[0]); err != nil {
				return err
			}
			c.Sleep(time.Minute)
			v, err := c.instance(ids[0])
			return first(err, equal("the StoppedMode", fmt.Sprint(v["StoppedMode"]), "StopCharging"))
		}, "running")},
		{Claim{ID: "A17", Says: "too many or malformed ids and page sizes give InvalidParameter (400)", Source: guess},
			func(_ context.Context, c *Alibaba) error {
				return first(c.ends(400, "InvalidParameter", "DescribeInstances", "InstanceIds", "no list"),
					c.ends(400, "InvalidParameter", "DescribeInstances", "PageSize", "many"))
			}},
		{Claim{ID: "A18", Says: "a ClientToken is remembered for ever; the same with other parameters is IdempotentParameterMismatch (400) in all calls (the page of CreateSnapshot says 403, that of CreateImage another code); the parameter does nothing in a call that was refused",
			Source: "ECS API, How to ensure idempotence", Writes: true, Long: true}, with(tokens, "disk")},
		{Claim{ID: "A19", Says: "while a system is installed, the instance is `Stopped`, and locked with the reason `ReplaceSystemDisk`", Source: guess,
			Writes: true}, with(func(c *Alibaba, ids []string) error {
			if err := c.ends(200, "", "ReplaceSystemDisk", instance, ids[0], "ImageId", ids[1]); err != nil {
				return err
			}
			v, err := c.instance(ids[0])
			if err != nil {
				return err
			}
			return first(equal("the status", fmt.Sprint(v["Status"]), "Stopped"),
				equal("the lock", fmt.Sprint(v.at("OperationLocks.LockReason.0.LockReason")), "ReplaceSystemDisk"))
		}, "stopped", "image")},
		{Claim{ID: "A20", Says: "an image that is not Available is InvalidImageId.NotFound to ReplaceSystemDisk", Source: guess, Writes: true},
			with(func(c *Alibaba, ids []string) error {
				return c.ends(404, "InvalidImageId.NotFound", "ReplaceSystemDisk", instance, ids[0], "ImageId", ids[1])
			}, "stopped", "new image")},
	}
}

// tokens makes a snapshot twice with a token, at once and a month later, and another with the same one.
func tokens(c *Alibaba, ids []string) error {
	make := func(name string) (string, refusal, error) {
		body, seen, err := c.ecs("CreateSnapshot", "DiskId", ids[0], "SnapshotName", name, "ClientToken", "assumed")
		return fmt.Sprint(body["SnapshotId"]), seen, err
	}
	once, _, err := make("one")
	if err != nil {
		return err
	}
	c.Sleep(30 * 24 * time.Hour)
	twice, _, err := make("one")
	if err != nil {
		return err
	}
	_, other, err := make("two")
	return first(err, equal("what a repeated call made", twice, once),
		equal("the answer to another call with the token", other, refusal{400, "IdempotentParameterMismatch"}))
}
