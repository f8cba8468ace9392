package huaweiapi

import (
	"net/http"
	"strings"
	"time"

	"github.com/fleetjoin/fleetjoin/cloud/sim/clock"
	"github.com/fleetjoin/fleetjoin/cloud/sim/huaweisign"
	"github.com/fleetjoin/fleetjoin/cloud/sim/journal"
	"github.com/fleetjoin/fleetjoin/cloud/sim/throttle"
	"github.com/fleetjoin/fleetjoin/cloud/sim/wire"
	"github.com/fleetjoin/fleetjoin/cloud/sim/world"
)

// Config describes the front of a service.
type Config[S any] struct {
	Name       string // in the state directory
	Service    S
	Errors     Errors
	Operations []Operation[S]
	World      world.World
	Wall       func() time.Time // the real time, which signatures are checked against
	Throttle   world.Throttle
	WritesOnly bool // only writes are throttled
	// Foreign refuses a caller whose project is not the one in the path.
	Foreign string
}

// Errors is how a service tells that something went wrong.
type Errors interface {
	// Status is the HTTP status that goes with a code.
	Status(code string) int
	Refuse(c *wire.Call, status int, code, message string) wire.Answer
	Throttled(c *wire.Call, status int, retryAfter string) wire.Answer
}

// API is the front of a service, which embeds it and adds its state: it recognises calls and checks who calls and how
// often.
type API[S any] struct {
	config     Config[S]
	operations []known[S]
	accounts   map[string]world.Account // by access key
	limiter    *throttle.Limiter
}

// New returns the front that c describes.
func New[S any](c Config[S]) *API[S] {
	a := &API[S]{config: c, accounts: map[string]world.Account{}, limiter: throttle.New(c.Throttle)}
	for _, o := range c.Operations {
		a.operations = append(a.operations, newKnown(o))
	}
	for _, account := range c.World.Accounts {
		a.accounts[account.AccessKey] = account
	}
	return a
}

// Name is the service's name in the state directory.
func (a *API[S]) Name() string { return a.config.Name }

// Operations returns what the service knows.
func (a *API[S]) Operations() []Operation[S] { return a.config.Operations }

// Route recognises a request by method and path, and by the body where one path serves several actions. The first
// operation that matches decides.
func (a *API[S]) Route(c *wire.Call) (mine bool, refused *wire.Answer) {
	path := strings.Split(c.HTTP.URL.Path, "/")
	for _, o := range a.operations {
		v, ok := o.match(c.HTTP.Method, path)
		if !ok {
			continue
		}
		h, r := o.bind(c, v)
		c.Input = h
		if r != nil {
			answer := a.Refusal(c, r)
			return true, &answer
		}
		return true, nil
	}
	return false, nil
}

// Serve runs the handler that Route chose.
func (a *API[S]) Serve(c *wire.Call) wire.Answer { return c.Input.(Handler[S])(a.config.Service, c) }

// Admit checks the signature, the project and the account's rate.
func (a *API[S]) Admit(c *wire.Call, now time.Time) *wire.Answer {
	access, err := huaweisign.Verify(c.HTTP, c.Body, a.config.Wall(), func(access string) (huaweisign.Key, bool) {
		account, ok := a.accounts[access]
		return huaweisign.Key{Access: account.AccessKey, Secret: account.SecretKey, Token: account.SecurityToken}, ok
	})
	if err != nil {
		refusal := a.config.Errors.Refuse(c, http.StatusUnauthorized, "APIGW.0301",
			"Incorrect IAM authentication information: "+err.Error())
		return &refusal
	}
	account := a.accounts[access]
	c.Account = account.Name
	header := c.HTTP.Header.Get("X-Project-Id")
	if account.ProjectID == "" || c.Project != account.ProjectID || header != "" && header != c.Project {
		refusal := a.Refusal(c, &Refusal{a.config.Foreign, "The project ID in the URL is not the project of the credentials."})
		return &refusal
	}
	if a.config.WritesOnly && !c.Write {
		return nil
	}
	if wait := a.limiter.Take(c.Account, c.Action, now); wait > 0 {
		refusal := a.config.Errors.Throttled(c, 0, a.limiter.RetryAfter(wait))
		return &refusal
	}
	return nil
}

// Latency draws how long the call travels.
func (a *API[S]) Latency(c *wire.Call) time.Duration {
	takes := a.config.World.Huawei.Latency
	if takes == (clock.Range{}) {
		return 0
	}
	return takes.Draw(world.Random(a.config.World.Seed, "latency", c.Number))
}

// Refusal answers a call that is not done.
func (a *API[S]) Refusal(c *wire.Call, r *Refusal) wire.Answer {
	status := http.StatusNotImplemented
	if r.Code != notImplemented {
		status = a.config.Errors.Status(r.Code)
	}
	return a.config.Errors.Refuse(c, status, r.Code, r.Message)
}

// Refuse answers as the gateway does, which all services are behind, if the code is the gateway's or the simulator's;
// otherwise with the service's own body.
func Refuse(c *wire.Call, status int, code, message string, own any) wire.Answer {
	a := wire.Answer{Status: status, Code: code, Body: own, Effect: journal.Refused}
	if strings.HasPrefix(code, "APIGW.") || strings.HasPrefix(code, "SIM.") {
		a.Body = gatewayError{message, code, c.RequestID}
	}
	return a
}

type gatewayError struct {
	Message   string `json:"error_msg"`
	Code      string `json:"error_code"`
	RequestID string `json:"request_id"`
}

// Throttled adds to a refusal how long the caller should wait.
func Throttled(a wire.Answer, retryAfter string) wire.Answer {
	if retryAfter != "" {
		a.Header = http.Header{"Retry-After": {retryAfter}}
	}
	return a
}

// Found is the answer of a read.
func Found(body any) wire.Answer { return wire.Answer{Status: http.StatusOK, Body: body} }
