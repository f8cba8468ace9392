package alibaba

import (
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/fleetjoin/fleetjoin/cloud/verdict"
)

const fullDisk = `{"DiskId":"d-1","InstanceId":"i-1","Type":"system","Category":"cloud_essd","Status":"In_use","ImageId":"m-1",
	"Size":40,"Portable":false,"ResourceGroupId":"rg-1","OperationLocks":{"OperationLock":[]},"Attachments":{"Attachment":[
	{"InstanceId":"i-1","Device":"/dev/xvda"}]}}`

var theDisk = Disk{ID: "d-1", Instance: "i-1", Type: SystemDisk, Category: "cloud_essd", Status: "In_use", Image: "m-1",
	SizeGiB: 40}

func TestDisks(t *testing.T) {
	client, asked := recorded(t, `"Disks":{"Disk":[`+fullDisk+`,{"DiskId":"d-2","InstanceId":"","Type":"data",
		"Status":"Available"},{"DiskId":"foreign"}]}`)
	got, err := client.Disks(t.Context(), []string{"d-2", "d-1", "d-3"})
	require.NoError(t, err)
	assert.Equal(t, map[string]Disk{"d-1": theDisk, "d-2": {ID: "d-2", Type: DataDisk, Status: "Available"}}, got)
	assert.Equal(t, []url.Values{{"Action": {"DescribeDisks"}, "DiskIds": {`["d-1","d-2","d-3"]`}, "MaxResults": {"100"}}},
		*asked)
}

// A disk that many instances share may name them only among its attachments; what the filter let through by mistake is
// nobody's business here.
func TestDisksOf(t *testing.T) {
	client, asked := recorded(t, `"Disks":{"Disk":[`+fullDisk+`,{"DiskId":"d-2","InstanceId":"i-2"},{"DiskId":"d-3"},
		{"DiskId":"d-4","Type":"data","Attachments":{"Attachment":[{"InstanceId":"i-9"},{"InstanceId":"i-1"}]}}]}`)
	got, err := client.DisksOf(t.Context(), "i-1")
	require.NoError(t, err)
	assert.Equal(t, []Disk{theDisk, {ID: "d-4", Instance: "i-1", Type: DataDisk}}, got)
	assert.Equal(t, []url.Values{{"Action": {"DescribeDisks"}, "InstanceId": {"i-1"}, "DiskType": {"all"},
		"MaxResults": {"100"}}}, *asked)
}

func TestReplaceSystemDisk(t *testing.T) {
	for keyPair, want := range map[string]url.Values{
		"":    {"PasswordInherit": {"true"}},
		"钥:1": {"KeyPairName": {"钥:1"}},
	} {
		client, asked := recorded(t, `"DiskId":"d-2"`)
		disk, err := client.ReplaceSystemDisk(t.Context(), "i-1", "m-1", "token-1", keyPair)
		require.NoError(t, err)
		assert.Equal(t, "d-2", disk)
		for name, value := range map[string]string{"Action": "ReplaceSystemDisk", "InstanceId": "i-1", "ImageId": "m-1",
			"ClientToken": "token-1"} {
			want.Set(name, value)
		}
		assert.Equal(t, []url.Values{want}, *asked)
	}
}

// These read with an action that others read with, too; calls has each action once.
func TestReadingsThatFail(t *testing.T) {
	client := serve(t, answer(503, body("ServiceUnavailable")))
	for what, read := range map[string]func() error{
		"disks":       func() error { _, err := client.Disks(t.Context(), []string{"d-1"}); return err },
		"disks of":    func() error { _, err := client.DisksOf(t.Context(), "i-1"); return err },
		"snapshots":   func() error { _, err := client.SnapshotsTagged(t.Context(), mark); return err },
		"images":      func() error { _, err := client.ImagesTagged(t.Context(), mark); return err },
		"some nodes":  func() error { _, err := client.ContainerNodes(t.Context(), "c1", "i-1"); return err },
		"convertible": func() error { _, err := client.EDASConvertible(t.Context(), "c-1"); return err },
	} {
		assert.Equal(t, verdict.Transient, verdict.Of(read()), what)
	}
}

func TestWhatWouldSaySomethingElseIsNotSent(t *testing.T) {
	client, asked := listening(t, 200, inBody(``))
	for what, send := range map[string]func() error{
		"a disk":     func() error { _, err := client.Disks(t.Context(), []string{`d-1","d-2`}); return err },
		"disks of":   func() error { _, err := client.DisksOf(t.Context(), "*"); return err },
		"a key pair": func() error { _, err := client.ReplaceSystemDisk(t.Context(), "i-1", "m-1", "t", "*"); return err },
		"an image":   func() error { _, err := client.ReplaceSystemDisk(t.Context(), "i-1", "", "t", ""); return err },
		"no token":   func() error { _, err := client.ReplaceSystemDisk(t.Context(), "i-1", "m-1", "", ""); return err },
		"a long token": func() error {
			_, err := client.CreateSnapshot(t.Context(), "d-1", "n", strings.Repeat("t", 65))
			return err
		},
		"a snapshot's name": func() error { _, err := client.CreateSnapshot(t.Context(), "d-1", "http://x", "t"); return err },
		"a snapshot's disk": func() error { _, err := client.CreateSnapshot(t.Context(), "", "n", "t"); return err },
		"an image's name":   func() error { _, err := client.CreateImage(t.Context(), "s-1", "", "t"); return err },
		"an image's source": func() error { _, err := client.CreateImage(t.Context(), "s 1", "n", "t"); return err },
		"a tag": func() error {
			_, err := client.CreateImage(t.Context(), "s-1", "n", "t", Tag{"acs:x", "v"})
			return err
		},
		"no tag":            func() error { _, err := client.SnapshotsTagged(t.Context(), Tag{}); return err },
		"half a tag":        func() error { _, err := client.ImagesTagged(t.Context(), Tag{Key: "k"}); return err },
		"a cluster":         func() error { _, err := client.EDASCluster(t.Context(), "../x"); return err },
		"a cluster's list":  func() error { _, err := client.EDASMembers(t.Context(), ""); return err },
		"a target":          func() error { _, err := client.EDASConvertible(t.Context(), "a,b"); return err },
		"no instances":      func() error { return client.SynchronizeEDAS(t.Context(), nil) },
		"too many":          func() error { return client.SynchronizeEDAS(t.Context(), make([]string, SynchronizedAtOnce+1)) },
		"no agent":          func() error { _, err := client.InstallEDASAgent(t.Context(), "c-1", nil); return err },
		"an agent":          func() error { _, err := client.InstallEDASAgent(t.Context(), "", []string{"i-1"}); return err },
		"no import":         func() error { return client.InsertEDASMembers(t.Context(), "c-1", nil, goodPassword) },
		"an import":         func() error { return client.InsertEDASMembers(t.Context(), "c-1", []string{"i-1,i-2"}, goodPassword) },
		"a target's import": func() error { return client.InsertEDASMembers(t.Context(), "", []string{"i-1"}, goodPassword) },
		"a member":          func() error { return client.DeleteEDASMember(t.Context(), "c-1", "") },
		"a path":            func() error { _, err := client.ContainerCluster(t.Context(), "c1/nodes"); return err },
		"a pool":            func() error { _, err := client.ContainerPool(t.Context(), "c1", ".."); return err },
		"a node":            func() error { _, err := client.ContainerNodes(t.Context(), "c1", "i-1,i-2"); return err },
		"a task":            func() error { _, err := client.ContainerTask(t.Context(), "T 1"); return err },
		"no nodes":          func() error { _, err := client.RemoveNodes(t.Context(), "c1", "np1", nil, false); return err },
		"no attachment": func() error {
			_, _, err := client.AttachInstances(t.Context(), Attach{Cluster: "c1", Pool: "np1"})
			return err
		},
		"no pool": func() error {
			_, _, err := client.AttachInstances(t.Context(), Attach{Cluster: "c1", Instances: []string{"i-1"}})
			return err
		},
	} {
		e := verdict.As(send())
		if assert.NotNil(t, e, what) {
			assert.Equal(t, verdict.Rejected, e.Verdict, what)
			assert.Contains(t, e.Message, "not sent: ", what)
		}
	}
	assert.Empty(t, *asked)
}
