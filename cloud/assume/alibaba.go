package assume

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	openapi "github.com/alibabacloud-go/darabonba-openapi/v2/client"
	"github.com/alibabacloud-go/darabonba-openapi/v2/utils"
	"github.com/alibabacloud-go/tea/dara"
	"github.com/alibabacloud-go/tea/tea"

	"github.com/fleetjoin/fleetjoin/cloud/account"
)

// Alibaba is an account of Alibaba Cloud as checks see it. Its products have one generic client, the vendor's.
type Alibaba struct {
	clients   map[string]*openapi.Client // by service
	region    string
	Resources map[string]string
	Sleep     func(time.Duration)
}

// OpenAlibaba returns the clients of an account with these keys. The transport is nil for the SDK's own.
func OpenAlibaba(a account.Account, keys account.Credentials, transport http.RoundTripper) (*Alibaba, error) {
	c := &Alibaba{clients: map[string]*openapi.Client{}, region: a.Region, Sleep: time.Sleep}
	for _, service := range []string{"ecs", "resourcemanager", "edas", "cs"} {
		endpoint, err := url.Parse(a.Endpoint(service))
		if err != nil {
			return nil, errors.New("the endpoint of " + service + " is no URL")
		}
		settings := &utils.Config{AccessKeyId: &keys.AccessKey, AccessKeySecret: &keys.SecretKey,
			SecurityToken: &keys.SecurityToken, Endpoint: &endpoint.Host, Protocol: &endpoint.Scheme,
			UserAgent: tea.String("fleetjoin-assume")}
		if transport != nil {
			settings.HttpClient = through{transport}
		}
		if c.clients[service], err = openapi.NewClient(settings); err != nil {
			return nil, err
		}
	}
	return c, nil
}

// through is a transport as the SDK wants it.
type through struct{ http.RoundTripper }

// Call implements the SDK's HttpClient.
func (t through) Call(r *http.Request, _ *http.Transport) (*http.Response, error) {
	return t.RoundTrip(r)
}

// version is that of a service's API.
func version(service string) string {
	return map[string]string{"ecs": "2014-05-26", "resourcemanager": "2020-03-31", "edas": "2017-08-01",
		"cs": "2015-12-15"}[service]
}

// object is a decoded JSON body.
type object map[string]any

// at returns what is found on a path of names; a number of a list is written as such.
func (o object) at(path string) any {
	var here any = map[string]any(o)
	for _, name := range strings.Split(path, ".") {
		switch v := here.(type) {
		case map[string]any:
			here = v[name]
		case []any:
			if len(v) == 0 {
				return nil
			}
			here = v[0]
			if name != "0" {
				return nil
			}
		default:
			return nil
		}
	}
	return here
}

// call sends an action with its parameters, as name and value in turn. A refusal is no error.
func (c *Alibaba) call(service, action string, nameValues ...string) (object, refusal, error) {
	params := &utils.Params{Action: &action, Pathname: tea.String("/"), Method: tea.String(http.MethodPost),
		Style: tea.String("RPC"), ReqBodyType: tea.String("formData")}
	return c.send(service, params, nil, nameValues)
}

// roa sends an action of a service whose actions have methods and paths, as "GET /quota".
func (c *Alibaba) roa(service, action, methodAndPath string, body map[string]any, nameValues ...string) (object, refusal, error) {
	method, path, _ := strings.Cut(methodAndPath, " ")
	params := &utils.Params{Action: &action, Pathname: &path, Method: &method, Style: tea.String("ROA"),
		ReqBodyType: tea.String("json")}
	return c.send(service, params, body, nameValues)
}

func (c *Alibaba) send(service string, params *utils.Params, in map[string]any, nameValues []string) (object, refusal, error) {
	query := map[string]*string{}
	for i := 0; i < len(nameValues); i += 2 {
		query[nameValues[i]] = &nameValues[i+1]
	}
	params.Version, params.Protocol = tea.String(version(service)), c.clients[service].Protocol
	params.AuthType, params.BodyType = tea.String("AK"), tea.String("string")
	request := &utils.OpenApiRequest{Query: query}
	if in != nil {
		request.Body = in
	}
	answer, err := c.clients[service].CallApi(params, request, &dara.RuntimeOptions{})
	var failed *tea.SDKError
	if errors.As(err, &failed) {
		return nil, refusal{tea.IntValue(failed.StatusCode), tea.StringValue(failed.Code)}, nil
	}
	if err != nil {
		return nil, refusal{}, err
	}
	body := object{}
	text, _ := answer["body"].(string)
	status, err := strconv.Atoi(fmt.Sprint(answer["statusCode"])) // the SDK makes a number of one kind or another of it
	if err != nil {
		return nil, refusal{}, err
	}
	return body, refusal{status: status}, json.Unmarshal([]byte(text), &body)
}

// ecs sends an action of ECS in the account's region.
func (c *Alibaba) ecs(action string, nameValues ...string) (object, refusal, error) {
	return c.call("ecs", action, append([]string{"RegionId", c.region}, nameValues...)...)
}

// ends checks how an action of ECS ends; code "" is success.
func (c *Alibaba) ends(status int, code, action string, nameValues ...string) error {
	_, seen, err := c.ecs(action, nameValues...)
	if err != nil {
		return err
	}
	return equal("the answer to "+action, seen, refusal{status, code})
}

// need returns the ids of resources by their parts.
func (c *Alibaba) need(parts ...string) ([]string, error) { return needed(c.Resources, parts) }

// instance returns what DescribeInstances says of an instance.
func (c *Alibaba) instance(id string) (object, error) {
	body, seen, err := c.ecs("DescribeInstances", "InstanceIds", `["`+id+`"]`)
	if err != nil {
		return nil, err
	}
	row, ok := body.at("Instances.Instance.0").(map[string]any)
	if !ok {
		return nil, first(equal("the answer to DescribeInstances", seen, refusal{status: 200}), &missing{"instance " + id})
	}
	return row, nil
}
