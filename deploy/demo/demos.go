package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"

	"sigs.k8s.io/yaml"

	"github.com/fleetjoin/fleetjoin/cloud/kinds"
	"github.com/fleetjoin/fleetjoin/cloud/membership"
	"github.com/fleetjoin/fleetjoin/cloud/sim/world"
)

// demo is a kind's world, and what is done in it.
type demo struct {
	kind  string
	world []byte // as YAML
	moves []move
}

// move is one run.
type move struct {
	Name    string            `json:"name"`    // of the run and its file
	Say     string            `json:"say"`     // what it shows, in a line
	Group   string            `json:"group"`   // id
	Members string            `json:"members"` // what the names of its members begin with
	From    string            `json:"from"`    // id of the group that they leave for it
	Params  membership.Params `json:"params"`
	Wipes   bool              `json:"wipes"` // it destroys data, so that somebody must approve it
	Exit    int               `json:"exit"`  // how fleetjoin must end
}

// find returns the demo of a kind.
func find(kind string) (demo, error) {
	var known []string
	for _, k := range kinds.All(kinds.Clouds{}) {
		id := k.Spec().ID
		if id != kind {
			known = append(known, id)
			continue
		}
		var read struct {
			Moves []move `json:"moves"`
		}
		text, err := kinds.File(kind, "demo.yaml")
		if err == nil {
			err = yaml.UnmarshalStrict(text, &read)
		}
		if err != nil {
			return demo{}, fmt.Errorf("the demo of %s: %w", kind, err)
		}
		world, err := kinds.File(kind, "world.yaml")
		return demo{kind: kind, world: world, moves: read.Moves}, err
	}
	return demo{}, fmt.Errorf("there is no demo of %q; there is one of each of %s", kind, strings.Join(known, ", "))
}

func (d demo) spec() membership.Spec {
	k, err := membership.Find(kinds.All(kinds.Clouds{}), d.kind)
	if err != nil {
		panic(err) // a test looks for every one
	}
	return k.Spec()
}

// account is the name of the world's account at the kind's provider.
func (d demo) account(w world.World) string {
	for _, a := range w.Accounts {
		if (a.ProjectID != "") == (d.spec().Provider == "huawei") {
			return a.Name
		}
	}
	return ""
}

// request writes the request of a move, for all things in a completed world whose names begin as it says.
func (d demo) request(w world.World, m move) (text []byte, members []string) {
	var b bytes.Buffer
	fmt.Fprintf(&b, "kind: %s\naccount: %s\nrequester: ann\ngroup: %s\n", d.kind, d.account(w), m.Group)
	if m.From != "" {
		fmt.Fprintf(&b, "from: %s\n", m.From)
	}
	if m.Params != nil {
		params, _ := json.Marshal(m.Params) // JSON is YAML, too
		fmt.Fprintf(&b, "params: %s\n", params)
	}
	fmt.Fprintln(&b, "members:")
	for _, t := range things(w) {
		if strings.HasPrefix(t.name, m.Members) {
			members = append(members, t.id)
			fmt.Fprintf(&b, "- %s # %s\n", t.id, t.name)
		}
	}
	return b.Bytes(), members
}
