package alibabadeploymentset

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/fleetjoin/fleetjoin/cloud/alibaba"
	"github.com/fleetjoin/fleetjoin/cloud/kinds/kindtest"
	"github.com/fleetjoin/fleetjoin/cloud/membership"
)

// scene is an observation of one instance.
type scene struct {
	status string // "" when there is no instance
	set    string
	disks  int
	noSet  bool
	force  bool
	leave  bool
}

func (s scene) observation() *observation {
	o := &observation{operation: membership.Join, params: params{force: s.force}, group: "ds-1",
		instances: map[string]alibaba.Instance{}}
	if s.leave {
		o.operation = membership.Leave
	}
	if !s.noSet {
		o.set = &alibaba.DeploymentSet{ID: "ds-1", Strategy: "Availability"}
	}
	if s.status != "" {
		o.instances["i-1"] = alibaba.Instance{ID: "i-1", Status: s.status, DeploymentSet: s.set, LocalDisks: s.disks}
	}
	return o
}

func moment(op membership.Operation, stage string, undo bool, power, set string) membership.Moment {
	stages := Kind{}.Spec().Stages[op]
	at := slices.IndexFunc(stages, func(s membership.Stage) bool { return s.Name == stage })
	m := membership.Member{ID: "i-1", Before: map[string]string{membership.FactPower: power}}
	if set != "" {
		m.Before[factSet] = set
	}
	return membership.Moment{Member: &m, Stage: &stages[at], Undo: undo}
}

func decisions(check kindtest.Decided) {
	const on, off, going, coming, yes, no = statusRunning, statusStopped, "Stopping", "Starting", membership.PowerOn, membership.PowerOff
	next, wait := membership.Next(), membership.Wait("")
	act := func(a string) membership.Decision { return membership.Act(a, "") }
	fail := func(c string) membership.Decision { return membership.Fail(c, "") }
	for name, c := range map[string]struct {
		stage  string
		undo   bool
		before string // power
		set    string // before
		sends  int
		scene  scene
		want   membership.Decision
	}{
		"stop what runs":             {stageStop, false, yes, "", 0, scene{status: on}, act(actStop)},
		"again":                      {stageStop, false, yes, "", 2, scene{status: on}, act(actStop)},
		"not what is in the set":     {stageStop, false, yes, "", 0, scene{status: on, set: "ds-1"}, next},
		"not what is off":            {stageStop, false, no, "", 0, scene{status: off}, next},
		"wait while it stops":        {stageStop, false, yes, "", 1, scene{status: going}, wait},
		"somebody started it":        {stageStop, false, no, "", 0, scene{status: on}, fail(codePowerChanged)},
		"an unknown status":          {stageStop, false, yes, "", 0, scene{status: "Hovering"}, fail(codeInstanceStatus)},
		"gone":                       {stageStop, false, yes, "", 0, scene{}, fail(codeInstanceMissing)},
		"place what is off":          {stagePlace, false, yes, "", 0, scene{status: off}, act(actPlace)},
		"out of another set":         {stagePlace, false, yes, "ds-2", 0, scene{status: off, set: "ds-2"}, act(actPlace)},
		"not what is placed":         {stagePlace, false, yes, "", 1, scene{status: off, set: "ds-1"}, next},
		"placed, whatever its power": {stagePlace, false, yes, "", 0, scene{status: on, set: "ds-1"}, next},
		"not what runs":              {stagePlace, false, yes, "", 0, scene{status: on}, fail(codePowerChanged)},
		"what runs since it moves":   {stagePlace, false, yes, "", 1, scene{status: on}, wait},
		"not what starts":            {stagePlace, false, yes, "", 0, scene{status: coming}, wait},
		"somebody placed it":         {stagePlace, false, yes, "", 0, scene{status: off, set: "ds-3"}, fail(codeOtherGroup)},
		"somebody deleted the set":   {stagePlace, false, yes, "", 0, scene{status: off, noSet: true}, fail(codeGroupMissing)},
		"its disks would be lost":    {stagePlace, false, yes, "", 0, scene{status: off, disks: 2, force: true}, fail(codeLocalDisk)},
		"its disks stay":             {stagePlace, false, yes, "", 0, scene{status: off, disks: 2}, act(actPlace)},
		"start what ran":             {stageStart, false, yes, "", 0, scene{status: off, set: "ds-1"}, act(actStart)},
		"not what did not":           {stageStart, false, no, "", 0, scene{status: off, set: "ds-1"}, next},
		"not what runs already":      {stageStart, false, yes, "", 0, scene{status: on, set: "ds-1"}, next},
		"wait while it starts":       {stageStart, false, yes, "", 1, scene{status: coming, set: "ds-1"}, wait},
		"verified on":                {stageVerify, false, yes, "", 0, scene{status: on, set: "ds-1"}, next},
		"verified off":               {stageVerify, false, no, "", 0, scene{status: off, set: "ds-1"}, next},
		"on the way":                 {stageVerify, false, yes, "", 0, scene{status: coming, set: "ds-1"}, wait},
		"not seen in the set yet":    {stageVerify, false, yes, "", 0, scene{status: on}, wait},
		"somebody stopped it":        {stageVerify, false, yes, "", 0, scene{status: off, set: "ds-1"}, fail(codePowerChanged)},
		"undo the placing":           {stagePlace, true, yes, "", 0, scene{status: off, set: "ds-1"}, act(actRemove)},
		"undo it while it runs":      {stagePlace, true, yes, "", 0, scene{status: on, set: "ds-1"}, act(actRemove)},
		"undo no placing":            {stagePlace, true, yes, "", 0, scene{status: off}, next},
		"undo that of what is busy":  {stagePlace, true, yes, "", 0, scene{status: coming, set: "ds-1"}, wait},
		"undo that of what is gone":  {stagePlace, true, yes, "", 0, scene{}, next},
		"back into another set":      {stagePlace, true, yes, "ds-2", 0, scene{status: off, set: "ds-1"}, act(actRestore)},
		"back from none":             {stagePlace, true, yes, "ds-2", 0, scene{status: off}, act(actRestore)},
		"not while it runs":          {stagePlace, true, yes, "ds-2", 0, scene{status: on, set: "ds-1"}, act(actStop)},
		"back there":                 {stagePlace, true, yes, "ds-2", 1, scene{status: off, set: "ds-2"}, next},
		"not from a third":           {stagePlace, true, yes, "ds-2", 0, scene{status: off, set: "ds-3"}, fail(codeOtherGroup)},
		"undo the stop":              {stageStop, true, yes, "", 0, scene{status: off}, act(actStart)},
		"undo no stop":               {stageStop, true, no, "", 0, scene{status: off}, next},
		"undo a stop under way":      {stageStop, true, yes, "", 0, scene{status: going}, wait},
		"undone":                     {stageStop, true, yes, "", 1, scene{status: on}, next},
		"undo the stop of the gone":  {stageStop, true, yes, "", 0, scene{}, fail(codeInstanceMissing)},
		"undo a leave":               {stageRemove, true, yes, "ds-1", 0, scene{status: on, leave: true}, act(actStop)},
		"back, while it is off":      {stageRemove, true, yes, "ds-1", 1, scene{status: off, leave: true}, act(actRestore)},
		"back, and started":          {stageRemove, true, yes, "ds-1", 2, scene{status: off, set: "ds-1", leave: true}, act(actStart)},
		"back, and as before":        {stageRemove, true, no, "ds-1", 2, scene{status: off, set: "ds-1", leave: true}, next},
		"back where nothing is":      {stageRemove, true, yes, "ds-1", 0, scene{status: on, noSet: true, leave: true}, fail(codeGroupMissing)},
		"back, but gone":             {stageRemove, true, yes, "ds-1", 0, scene{leave: true}, fail(codeInstanceMissing)},
		"remove a member":            {stageRemove, false, yes, "", 0, scene{status: on, set: "ds-1", leave: true}, act(actRemove)},
		"not one that is busy":       {stageRemove, false, yes, "", 0, scene{status: going, set: "ds-1", leave: true}, wait},
		"not what is none":           {stageRemove, false, yes, "", 0, scene{status: on, leave: true}, next},
		"has left":                   {stageVerify, false, yes, "", 0, scene{status: on, leave: true}, next},
		"still seen in the set":      {stageVerify, false, yes, "", 0, scene{status: on, set: "ds-1", leave: true}, wait},
	} {
		op := membership.Join
		if c.scene.leave {
			op = membership.Leave
		}
		m := moment(op, c.stage, c.undo, c.before, c.set)
		m.Sends = c.sends
		check(name, c.scene.observation().Decide(m), c.want)
	}
}

// Whatever is observed, Decide does nothing that could hurt.
func TestDecideNeverHurts(t *testing.T) {
	spec := Kind{}.Spec()
	rapid.Check(t, func(t *rapid.T) {
		op := rapid.SampledFrom([]membership.Operation{membership.Join, membership.Leave}).Draw(t, "operation")
		stage := rapid.SampledFrom(spec.Stages[op]).Draw(t, "stage")
		s := scene{
			status: rapid.SampledFrom([]string{"", statusRunning, statusStopped, "Starting", "Stopping", "Pending", "?"}).Draw(t, "status"),
			set:    rapid.SampledFrom([]string{"", "ds-1", "ds-2", "ds-3"}).Draw(t, "set"),
			disks:  rapid.IntRange(0, 1).Draw(t, "disks"), noSet: rapid.Bool().Draw(t, "noSet"),
			force: rapid.Bool().Draw(t, "force"), leave: op == membership.Leave,
		}
		power := rapid.SampledFrom([]string{membership.PowerOn, membership.PowerOff}).Draw(t, "power")
		before := rapid.SampledFrom([]string{"", "ds-2"}).Draw(t, "before")
		if op == membership.Leave {
			before = "ds-1" // who is none needs none
		}
		m := moment(op, stage.Name, stage.Undo != "" && rapid.Bool().Draw(t, "undo"), power, before)
		m.In = time.Duration(rapid.IntRange(0, 600).Draw(t, "in")) * time.Second
		m.Sends = rapid.IntRange(0, 3).Draw(t, "sends")
		d := s.observation().Decide(m)
		if d.Verb != membership.DoAct {
			return
		}
		off, still := s.status == statusStopped, s.status == statusStopped || s.status == statusRunning
		switch {
		case !still:
			t.Fatalf("%s of %+v", d.Action, s)
		case d.Action == actPlace && (!off || m.Undo || s.set == "ds-1" || s.set == "ds-3" || s.noSet || s.force && s.disks > 0):
			t.Fatalf("a placing of %+v", s)
		case d.Action == actRemove && (s.set != "ds-1" || m.Undo == (op == membership.Leave)):
			t.Fatalf("a removal of %+v", s)
		case d.Action == actRestore && (!off || !m.Undo || before == "" || s.set == "ds-3"):
			t.Fatalf("a return of %+v", s)
		case d.Action == actStart && (power != membership.PowerOn || !off):
			t.Fatalf("a start of %+v", s)
		case d.Action == actStop && (off || !m.Undo && (s.set == "ds-1" || power != membership.PowerOn)):
			t.Fatalf("a stop of %+v", s)
		}
	})
}
