package alibaba

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/fleetjoin/fleetjoin/cloud/account"
	"github.com/fleetjoin/fleetjoin/cloud/limit"
	"github.com/fleetjoin/fleetjoin/cloud/verdict"
)

// A password with everything that is special somewhere: in URLs, in JSON, in patterns.
const thePassword = "Aa1+&=%/?#<>'~*,;:(.)"

// goodPassword is where dial puts thePassword.
var goodPassword = account.Source{Env: "FLEETJOIN_PASSWORD_TEST"}

// unlimited is for tests that are not about pacing.
var unlimited = limit.Seed{Start: 1e6, Min: 1e6, Max: 1e6, Burst: 1e6}

// dial returns a client of an endpoint, after edit had its way with the configuration.
func dial(t testing.TB, endpoint string, edit ...func(*Config)) *Client {
	t.Helper()
	t.Setenv("FLEETJOIN_TEST_AK", "the-access-key")
	t.Setenv("FLEETJOIN_TEST_SK", "the-secret-key")
	t.Setenv(goodPassword.Env, thePassword)
	config := Config{
		Account: account.Account{
			Name:      "demo",
			Provider:  account.Alibaba,
			Region:    "cn-sim",
			Endpoints: map[string]string{"ecs": endpoint, "resourcemanager": endpoint, "edas": endpoint, "cs": endpoint},
			Credentials: account.Sources{
				AccessKey: account.Source{Env: "FLEETJOIN_TEST_AK"},
				SecretKey: account.Source{Env: "FLEETJOIN_TEST_SK"},
			},
		},
		Pace: unlimited,
	}
	for _, e := range edit {
		e(&config)
	}
	client, err := Dial(t.Context(), config)
	require.NoError(t, err)
	return client
}

// serve returns a client of a server with one handler.
func serve(t testing.TB, handler http.HandlerFunc, edit ...func(*Config)) *Client {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return dial(t, server.URL, edit...)
}

// answer is a handler that always says the same.
func answer(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("X-Acs-Request-Id", "req-1")
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
	}
}

// inBody puts an answer's content between what every answer has.
func inBody(content string) string {
	if content == "" {
		return `{"RequestId":"req-1"}`
	}
	return `{"RequestId":"req-1",` + content + `}`
}

// calls has every action of the client that is not a step of another, with what a good answer to it holds.
var calls = map[string]struct {
	good string
	do   func(context.Context, *Client) error
}{
	"DescribeInstances": {`"Instances":{"Instance":[]}`, func(ctx context.Context, c *Client) error {
		_, err := c.Instances(ctx, []string{"i-1"})
		return err
	}},
	"DescribeNetworkInterfaces": {`"NetworkInterfaceSets":{"NetworkInterfaceSet":[]}`,
		func(ctx context.Context, c *Client) error {
			_, err := c.NetworkInterfaces(ctx, []string{"eni-1"})
			return err
		}},
	"DescribeSecurityGroups": {`"SecurityGroups":{"SecurityGroup":[]}`, func(ctx context.Context, c *Client) error {
		_, err := c.SecurityGroups(ctx, []string{"sg-1"})
		return err
	}},
	"GetResourceGroup": {`"ResourceGroup":{"Id":"rg-1","Status":"OK","RegionStatuses":{"RegionStatus":[]}}`,
		func(ctx context.Context, c *Client) error {
			_, err := c.ResourceGroup(ctx, "rg-1")
			return err
		}},
	"ListAssociatedTransferSetting": {`"AssociatedTransferSetting":{"Status":"Disable"}`,
		func(ctx context.Context, c *Client) error {
			_, err := c.AssociatedTransferEnabled(ctx)
			return err
		}},
	"DescribeDisks": {`"Disks":{"X":[]}`, func(ctx context.Context, c *Client) error {
		if err := groupOf("disk", "").do(ctx, c); err != nil {
			return err
		}
		if _, err := c.Disks(ctx, []string{"d-1"}); err != nil {
			return err
		}
		_, err := c.DisksOf(ctx, "i-1")
		return err
	}},
	"DescribeSnapshots": {`"Snapshots":{"X":[]}`, func(ctx context.Context, c *Client) error {
		if err := groupOf("snapshot", "").do(ctx, c); err != nil {
			return err
		}
		_, err := c.SnapshotsTagged(ctx, Tag{"k", "v"})
		return err
	}},
	"DescribeImages": {`"Images":{"X":[]},"TotalCount":0`, func(ctx context.Context, c *Client) error {
		if err := groupOf("image", "").do(ctx, c); err != nil {
			return err
		}
		_, err := c.ImagesTagged(ctx, Tag{"k", "v"})
		return err
	}},
	"CreateSnapshot": {`"SnapshotId":"s-1"`, func(ctx context.Context, c *Client) error {
		_, err := c.CreateSnapshot(ctx, "d-1", "name", "token", Tag{"k", "v"})
		return err
	}},
	"CreateImage": {`"ImageId":"m-1"`, func(ctx context.Context, c *Client) error {
		_, err := c.CreateImage(ctx, "s-1", "name", "token", Tag{"k", "v"})
		return err
	}},
	"ReplaceSystemDisk": {`"DiskId":"d-2"`, func(ctx context.Context, c *Client) error {
		_, err := c.ReplaceSystemDisk(ctx, "i-1", "m-1", "token", "")
		return err
	}},
	"GetCluster": {`"Code":200,"Cluster":{"ClusterId":"c-1"}`, func(ctx context.Context, c *Client) error {
		_, err := c.EDASCluster(ctx, "c-1")
		return err
	}},
	"ListCluster": {`"Code":200,"ClusterList":{"Cluster":[]}`, func(ctx context.Context, c *Client) error {
		_, err := c.EDASClusters(ctx)
		return err
	}},
	"ListClusterMembers": {`"Code":200,"ClusterMemberPage":{"ClusterMemberList":{"ClusterMember":[]}}`,
		func(ctx context.Context, c *Client) error {
			_, err := c.EDASMembers(ctx, "c-1")
			return err
		}},
	"ListConvertableEcu": {`"Code":200,"InstanceList":{"Instance":[]}`, func(ctx context.Context, c *Client) error {
		_, err := c.EDASConvertible(ctx, "c-1")
		return err
	}},
	"SynchronizeResource": {`"Code":200,"Success":true`, func(ctx context.Context, c *Client) error {
		return c.SynchronizeEDAS(ctx, []string{"i-1"})
	}},
	"InstallAgent": {`"Code":200,"ExecutionResultList":{"ExecutionResult":[]}`, func(ctx context.Context, c *Client) error {
		_, err := c.InstallEDASAgent(ctx, "c-1", []string{"i-1"})
		return err
	}},
	"InsertClusterMember": {`"Code":200,"Data":"Transform submit success!"`, func(ctx context.Context, c *Client) error {
		return c.InsertEDASMembers(ctx, "c-1", []string{"i-1"}, goodPassword)
	}},
	"DeleteClusterMember": {`"Code":200,"Data":true`, func(ctx context.Context, c *Client) error {
		return c.DeleteEDASMember(ctx, "c-1", "member-1")
	}},
	"DescribeClusterDetail": {`"cluster_id":"c1","state":"running"`, func(ctx context.Context, c *Client) error {
		_, err := c.ContainerCluster(ctx, "c1")
		return err
	}},
	"DescribeClustersV1": {`"clusters":[],"page_info":{"total_count":0}`, func(ctx context.Context, c *Client) error {
		_, err := c.ContainerClusters(ctx)
		return err
	}},
	"DescribeClusterNodePoolDetail": {`"nodepool_info":{"nodepool_id":"np1"},"status":{"state":"active"}`,
		func(ctx context.Context, c *Client) error {
			_, err := c.ContainerPool(ctx, "c1", "np1")
			return err
		}},
	"DescribeClusterNodes": {`"nodes":[],"page":{"total_count":0}`, func(ctx context.Context, c *Client) error {
		if _, err := c.ContainerNodes(ctx, "c1"); err != nil {
			return err
		}
		_, err := c.ContainerNodes(ctx, "c1", "i-1")
		return err
	}},
	"DescribeTaskInfo": {`"task_id":"T-1","state":"running"`, func(ctx context.Context, c *Client) error {
		_, err := c.ContainerTask(ctx, "T-1")
		return err
	}},
	"AttachInstances": {`"task_id":"T-1","list":[]`, func(ctx context.Context, c *Client) error {
		_, _, err := c.AttachInstances(ctx,
			Attach{Cluster: "c1", Pool: "np1", Instances: []string{"i-1"}, Password: &goodPassword})
		return err
	}},
	"DescribeUserQuota": {`"node_quota":100`, func(ctx context.Context, c *Client) error {
		_, err := c.ContainerNodeQuota(ctx)
		return err
	}},
	"RemoveNodePoolNodes": {`"task_id":"T-1"`, func(ctx context.Context, c *Client) error {
		_, err := c.RemoveNodes(ctx, "c1", "np1", []string{"i-1"}, true)
		return err
	}},
	"DescribeDedicatedHosts":        groupOf("ddh", "DedicatedHosts"),
	"DescribeDedicatedHostClusters": groupOf("ddhcluster", "DedicatedHostClusters"),
	"DescribeKeyPairs":              groupOf("keypair", "KeyPairs"),
	"DescribeLaunchTemplates":       groupOf("launchtemplate", "LaunchTemplateSets"),
	"DescribeCommands":              groupOf("command", "Commands"),
	"DescribeActivations":           groupOf("activation", "ActivationList"),
	"DescribeManagedInstances":      groupOf("managedinstance", "Instances"),
	"DescribeDeploymentSets": {`"DeploymentSets":{"DeploymentSet":[]}`, func(ctx context.Context, c *Client) error {
		_, err := c.DeploymentSets(ctx, []string{"ds-1"})
		return err
	}},
	"ModifyInstanceDeployment": {``, func(ctx context.Context, c *Client) error {
		return c.PlaceInstance(ctx, "i-1", "ds-1", 0, true)
	}},
	"JoinSecurityGroup": {``, func(ctx context.Context, c *Client) error {
		return c.JoinSecurityGroup(ctx, "sg-1", Target{Instance: "i-1"})
	}},
	"LeaveSecurityGroup": {``, func(ctx context.Context, c *Client) error {
		return c.LeaveSecurityGroup(ctx, "sg-1", Target{NetworkInterface: "eni-1"})
	}},
	"ModifyInstanceAttribute": {``, func(ctx context.Context, c *Client) error {
		return c.SetInstanceSecurityGroups(ctx, "i-1", []string{"sg-1"})
	}},
	"ModifyNetworkInterfaceAttribute": {``, func(ctx context.Context, c *Client) error {
		return c.SetInterfaceSecurityGroups(ctx, "eni-1", []string{"sg-1"})
	}},
	"JoinResourceGroup": {``, func(ctx context.Context, c *Client) error {
		return c.JoinResourceGroup(ctx, "instance", "i-1", "rg-1")
	}},
	"StartInstances": {`"InstanceResponses":{"InstanceResponse":[{"InstanceId":"i-1","Code":"200"}]}`,
		func(ctx context.Context, c *Client) error {
			return c.StartInstances(ctx, []string{"i-1"})["i-1"].Err
		}},
	"StopInstances": {`"InstanceResponses":{"InstanceResponse":[{"InstanceId":"i-1","Code":"200"}]}`,
		func(ctx context.Context, c *Client) error {
			return c.StopInstances(ctx, []string{"i-1"}, false)["i-1"].Err
		}},
}

func groupOf(resourceType, list string) struct {
	good string
	do   func(context.Context, *Client) error
} {
	return struct {
		good string
		do   func(context.Context, *Client) error
	}{`"` + list + `":{"X":[]}`, func(ctx context.Context, c *Client) error {
		_, err := c.ResourceGroupOf(ctx, resourceType, []string{"x-1"})
		return err
	}}
}

// One read and one write for which no rule is special.
const plainRead, plainWrite = "DescribeInstances", "ModifyInstanceAttribute"

// isWrite says which actions change something; the client's own list is not asked.
func isWrite(name string) bool {
	for _, prefix := range []string{"Join", "Leave", "Modify", "Start", "Stop", "Create", "Replace", "Install",
		"Insert", "Delete", "Attach", "Remove"} {
		if strings.HasPrefix(name, prefix) {
			return true
		}
	}
	return false
}

// unclear is what an answer means that leaves everything open.
func unclear(name string) verdict.Verdict {
	if isWrite(name) {
		return verdict.Unknown
	}
	return verdict.Transient
}

// failure makes a call that must fail, with a classified error of its own name.
func failure(t testing.TB, c *Client, name string) *verdict.Error {
	t.Helper()
	err := calls[name].do(t.Context(), c)
	var e *verdict.Error
	require.ErrorAs(t, err, &e, name)
	require.Equal(t, name, e.Op)
	require.NotEmpty(t, e.Message, "an error must say something")
	return e
}

// body is an error as the gateway and the products write it.
func body(code string) string {
	if code == "" {
		return "<html>nothing here</html>"
	}
	return fmt.Sprintf(`{"RequestId":"req-1","HostId":"ecs.cn-sim.aliyuncs.com","Code":%q,"Message":"no",`+
		`"Recommend":"https://next.api.aliyun.com/troubleshoot?q=%s"}`, code, code)
}

// verify checks the ACS3 signature of a request, by the description of the protocol and without the SDK, and returns the
// request's body.
func verify(r *http.Request, accessKey, secretKey string) (body string, err error) {
	content, err := io.ReadAll(r.Body)
	if err != nil {
		return "", err
	}
	var names, signature string
	for _, part := range strings.Split(strings.TrimPrefix(r.Header.Get("Authorization"), "ACS3-HMAC-SHA256 "), ",") {
		switch name, value, _ := strings.Cut(part, "="); name {
		case "Credential":
			if value != accessKey {
				return "", fmt.Errorf("signed by %q", value)
			}
		case "SignedHeaders":
			names = value
		case "Signature":
			signature = value
		}
	}
	sum := sha256.Sum256(content)
	hashed := hex.EncodeToString(sum[:])
	if got := r.Header.Get("X-Acs-Content-Sha256"); got != hashed {
		return "", fmt.Errorf("the content's hash is %q", got)
	}
	var headers strings.Builder
	for _, name := range strings.Split(names, ";") {
		value := r.Header.Get(name)
		if name == "host" {
			value = r.Host
		}
		headers.WriteString(name + ":" + value + "\n")
	}
	for _, needed := range []string{"host", "x-acs-action", "x-acs-version", "x-acs-date", "x-acs-signature-nonce"} {
		if !slices.Contains(strings.Split(names, ";"), needed) {
			return "", fmt.Errorf("%s is not signed", needed)
		}
	}
	var query []string
	for name, values := range r.URL.Query() {
		query = append(query, escape(name)+"="+escape(values[0]))
	}
	slices.Sort(query)
	canonical := strings.Join([]string{r.Method, r.URL.EscapedPath(), strings.Join(query, "&"), headers.String(), names,
		hashed}, "\n")
	sum = sha256.Sum256([]byte(canonical))
	mac := hmac.New(sha256.New, []byte(secretKey))
	mac.Write([]byte("ACS3-HMAC-SHA256\n" + hex.EncodeToString(sum[:])))
	if want := hex.EncodeToString(mac.Sum(nil)); signature != want {
		return "", fmt.Errorf("the signature is %q, not %q", signature, want)
	}
	return string(content), nil
}

func escape(s string) string {
	return strings.NewReplacer("+", "%20", "*", "%2A", "%7E", "~").Replace(url.QueryEscape(s))
}

// seen is a request as the server saw it.
type seen struct {
	action, version string
	method, path    string
	query           url.Values
	body            string
}

// listening records requests, checks their signatures and answers them all alike.
func listening(t *testing.T, status int, says string) (*Client, *[]seen) {
	var all []seen
	client := serve(t, func(w http.ResponseWriter, r *http.Request) {
		content, err := verify(r, "the-access-key", "the-secret-key")
		if err != nil {
			t.Error(err)
		}
		q := r.URL.Query()
		q.Del("RegionId")
		all = append(all, seen{r.Header.Get("X-Acs-Action"), r.Header.Get("X-Acs-Version"), r.Method, r.URL.Path, q, content})
		answer(status, says)(w, r)
	})
	return client, &all
}
