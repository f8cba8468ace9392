package backup

import (
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/fleetjoin/fleetjoin/cloud/alibaba"
	"github.com/fleetjoin/fleetjoin/cloud/membership"
)

// world is what Decide is given.
type world struct {
	Evidence
	now    alibaba.Instance
	exists bool
}

// healthy is a world in which instance "i-1" runs from its disk "d-1", has a data disk "d-2", and has no backups.
func healthy() *world {
	return &world{now: alibaba.Instance{ID: "i-1", Status: Running, Image: "m-1"}, exists: true, Evidence: Evidence{
		Disks:     map[string]alibaba.Disk{"d-1": {ID: "d-1", Instance: "i-1"}},
		Snapshots: map[string]alibaba.Snapshot{}, Images: map[string]alibaba.Image{}}}
}

func snapshot(disk, status string) func(*world) {
	return func(w *world) { w.Snapshots[disk] = alibaba.Snapshot{ID: "s-" + disk, Disk: disk, Status: status} }
}

func image(status string) func(*world) {
	return func(w *world) { w.Images["d-1"] = alibaba.Image{ID: "m-9", Status: status} }
}

// wiped installs the system anew, from an image that is not ours.
func wiped(w *world) {
	delete(w.Disks, "d-1")
	w.now.Image = "m-edas"
}

// restored installs it anew from ours.
func restored(w *world) {
	wiped(w)
	image(alibaba.ImageAvailable)(w)
	w.now.Image = "m-9"
}

func status(s string, locks ...string) func(*world) {
	return func(w *world) { w.now.Status, w.now.Locks = s, locks }
}

func TestDecide(t *testing.T) {
	type want struct {
		verb membership.Verb
		what string // action or code
	}
	next, wait := want{membership.DoNext, ""}, want{membership.DoWait, ""}
	act := func(a string) want { return want{membership.DoAct, a} }
	fail := func(c string) want { return want{membership.DoFail, c} }
	const done, progressing, failed = alibaba.SnapshotAccomplished, alibaba.SnapshotProgressing, alibaba.SnapshotFailed
	const soon, late = time.Duration(0), time.Hour
	saved := func(w *world) { snapshot("d-1", done)(w); snapshot("d-2", done)(w) }
	gone := func(w *world) { w.now, w.exists = alibaba.Instance{}, false }
	reached := map[string]bool{}
	for name, c := range map[string]struct {
		undo  bool
		in    time.Duration
		spoil []func(*world)
		want  want
	}{
		"nothing yet":                  {false, soon, nil, act(ActSnapshot)},
		"one of two":                   {false, soon, []func(*world){snapshot("d-1", progressing)}, act(ActSnapshot)},
		"both on their way":            {false, soon, []func(*world){snapshot("d-1", done), snapshot("d-2", progressing)}, wait},
		"in a status that nobody told": {false, soon, []func(*world){snapshot("d-1", done), snapshot("d-2", "")}, wait},
		"one has failed":               {false, soon, []func(*world){snapshot("d-1", progressing), snapshot("d-2", failed)}, fail(CodeSnapshotFailed)},
		"both are there":               {false, soon, []func(*world){saved}, next},
		"there, and wiped":             {false, soon, []func(*world){saved, wiped}, next},
		"not there, and wiped":         {false, soon, []func(*world){wiped}, wait},
		"not there, and wiped, long":   {false, late, []func(*world){wiped}, fail(CodeSnapshotFailed)},
		"while it starts":              {false, soon, []func(*world){status("Starting")}, wait},
		"while it is locked":           {false, soon, []func(*world){status(Running, "x")}, wait},

		"restore nothing":                {true, soon, []func(*world){saved}, next},
		"restore nothing, off":           {true, soon, []func(*world){saved, status(Stopped)}, next},
		"restore what is gone":           {true, soon, []func(*world){saved, wiped, gone}, next},
		"restore: image":                 {true, soon, []func(*world){saved, wiped}, act(ActImage)},
		"restore: image of a system":     {true, soon, []func(*world){snapshot("d-1", done), snapshot("d-2", failed), wiped}, act(ActImage)},
		"restore: image while busy":      {true, soon, []func(*world){saved, wiped, status(Stopped, "x")}, act(ActImage)},
		"restore: image comes":           {true, late, []func(*world){saved, wiped, image(alibaba.ImageCreating)}, wait},
		"restore: image waits":           {true, late, []func(*world){saved, wiped, image("Waiting")}, wait},
		"restore: image has failed":      {true, soon, []func(*world){saved, wiped, image(alibaba.ImageFailed)}, fail(CodeImageFailed)},
		"restore: stop":                  {true, soon, []func(*world){saved, wiped, image(alibaba.ImageAvailable)}, act(ActStop)},
		"restore: stops":                 {true, soon, []func(*world){saved, wiped, image(alibaba.ImageAvailable), status("Stopping")}, wait},
		"restore: locked":                {true, soon, []func(*world){saved, wiped, image(alibaba.ImageAvailable), status(Running, "x")}, wait},
		"restore: replace":               {true, soon, []func(*world){saved, wiped, image(alibaba.ImageAvailable), status(Stopped)}, act(ActReplace)},
		"restore: replacing":             {true, soon, []func(*world){saved, wiped, image(alibaba.ImageAvailable), status(Stopped, "x")}, wait},
		"restore: replaced, locked":      {true, soon, []func(*world){saved, restored, status(Stopped, "x")}, wait},
		"restore: start":                 {true, soon, []func(*world){saved, restored, status(Stopped)}, act(ActStart)},
		"restore: starts":                {true, soon, []func(*world){saved, restored, status("Starting")}, wait},
		"restored":                       {true, soon, []func(*world){saved, restored}, next},
		"restore without a backup":       {true, soon, []func(*world){wiped}, wait},
		"restore without a backup, long": {true, late, []func(*world){wiped}, fail(CodeBackupMissing)},
		"restore from half a backup":     {true, late, []func(*world){snapshot("d-1", progressing), wiped}, fail(CodeBackupMissing)},
		"only the image is another":      {true, soon, []func(*world){saved, func(w *world) { w.now.Image = "m-2" }}, wait},
		"only the image, for long":       {true, late, []func(*world){saved, func(w *world) { w.now.Image = "m-2" }}, fail(CodeBackupMissing)},
		"the disk is elsewhere": {true, soon, []func(*world){saved, func(w *world) {
			w.Disks["d-1"] = alibaba.Disk{ID: "d-1", Status: "Available"}
		}}, act(ActImage)},
	} {
		t.Run(name, func(t *testing.T) {
			w := healthy()
			for _, f := range c.spoil {
				f(w)
			}
			d := w.Decide(moment(c.undo, c.in, nil), w.now, w.exists)
			reached[d.Code] = true
			require.Equal(t, c.want, want{d.Verb, d.Action + d.Code}, d.Reason)
			if d.Verb != membership.DoNext {
				require.NotEmpty(t, d.Reason)
			}
		})
	}
	for _, f := range Failures() {
		require.True(t, reached[f.Code], "no case reaches %s", f.Code)
	}
	for action := range Actions() {
		require.NotEmpty(t, Actions()[action].Call)
	}
}

func moment(undo bool, in time.Duration, facts map[string]string) membership.Moment {
	stage := Stage()
	before := map[string]string{FactPower: On, FactImage: "m-1", FactSystemDisk: "d-1", FactDataDisks: "d-2"}
	maps.Copy(before, facts)
	return membership.Moment{Member: &membership.Member{ID: "i-1", Before: before}, Stage: &stage, Undo: undo, In: in}
}

func TestWhatWasOffStaysOff(t *testing.T) {
	w := healthy()
	restored(w)
	w.now.Status = Stopped
	m := moment(true, 0, map[string]string{FactPower: Off})
	require.Equal(t, membership.DoNext, w.Decide(m, w.now, true).Verb)
}

// A member of which nothing is known, as one that was on its way already, is neither saved nor restored.
func TestNothingIsDoneWithoutAMeasure(t *testing.T) {
	w := healthy()
	wiped(w)
	for _, undo := range []bool{false, true} {
		m := moment(undo, time.Hour, map[string]string{FactSystemDisk: "", FactDataDisks: ""})
		require.Equal(t, membership.DoNext, w.Decide(m, w.now, true).Verb)
		require.Equal(t, Unmeasured, w.System(m.Member, w.now))
	}
}

func TestSystem(t *testing.T) {
	w := healthy()
	m := moment(false, 0, nil).Member
	require.Equal(t, AsBefore, w.System(m, w.now))
	require.Contains(t, w.Words(m, w.now), "its image is m-1 and its system disk its own (before: m-1 and d-1)")
	w.Disks["d-1"] = alibaba.Disk{ID: "d-1", Instance: "i-2"}
	require.Equal(t, Changed, w.System(m, w.now), "its disk is another instance's")
	w = healthy()
	w.now.Image = "m-2"
	require.Equal(t, Changed, w.System(m, w.now))
	wiped(w)
	require.Equal(t, Changed, w.System(m, w.now))
	require.Contains(t, w.Words(m, w.now), "another")
}

func TestBefore(t *testing.T) {
	e := Evidence{Attached: map[string][]alibaba.Disk{"i-1": {{ID: "d-3", Type: alibaba.DataDisk}, {ID: "d-1", Type: alibaba.SystemDisk},
		{ID: "d-2", Type: alibaba.DataDisk}}}}
	require.Equal(t, map[string]string{FactPower: On, FactImage: "m-1", FactSystemDisk: "d-1", FactDataDisks: "d-2,d-3", FactKeyPair: "ops"},
		e.Before(alibaba.Instance{ID: "i-1", Status: Running, Image: "m-1", KeyPair: "ops"}))
	require.Equal(t, map[string]string{FactPower: Off, FactImage: "m-2"}, e.Before(alibaba.Instance{ID: "i-2", Status: Stopped, Image: "m-2"}))
}

func TestObjections(t *testing.T) {
	reached := map[string]bool{}
	system := alibaba.Disk{ID: "d-1", Type: alibaba.SystemDisk, Category: "cloud_essd", Status: "In_use"}
	local := alibaba.Disk{ID: "d-2", Type: alibaba.DataDisk, Category: "local_hdd_pro", Status: "Detaching"}
	for name, c := range map[string]struct {
		disks  []alibaba.Disk
		wanted bool
		want   []string
	}{
		"nothing":              {[]alibaba.Disk{system}, true, nil},
		"no disk at all":       {nil, true, []string{CodeSystemDisk}},
		"two systems":          {[]alibaba.Disk{system, system}, true, []string{CodeSystemDisk}},
		"a disk that is local": {[]alibaba.Disk{system, local}, true, []string{CodeDiskLocal, CodeDiskStatus}},
		"which does not count": {[]alibaba.Disk{system, local}, false, nil},
		"but the system does":  {[]alibaba.Disk{local}, false, []string{CodeSystemDisk}},
	} {
		t.Run(name, func(t *testing.T) {
			e := Evidence{Attached: map[string][]alibaba.Disk{"i-1": c.disks}}
			var codes []string
			for _, o := range e.Objections("i-1", c.wanted) {
				codes = append(codes, o.Code)
				reached[o.Code] = true
				require.NotEmpty(t, o.Reason)
			}
			require.Equal(t, c.want, codes)
		})
	}
	for _, o := range Objections() {
		require.True(t, reached[o.Code], "no case reaches %s", o.Code)
	}
}

// What the cloud takes for the same write, and for another.
func TestNamesAndTokens(t *testing.T) {
	p := &membership.Program{Digest: "sha256:" + strings.Repeat("0123456789abcdef", 4)}
	require.Equal(t, "fleetjoin-0123456789ab-d-1", name(p.Digest, "d-1"))
	require.Equal(t, alibaba.Tag{Key: "fleetjoin", Value: "0123456789ab"}, tag(p.Digest))
	all := map[string]bool{}
	for _, digest := range []string{p.Digest, "sha256:x"} {
		for _, action := range []string{ActSnapshot, ActImage, ActReplace} {
			for _, of := range []string{"d-1", "d-2"} {
				one := token(&membership.Program{Digest: digest}, action, of)
				require.Equal(t, one, token(&membership.Program{Digest: digest}, action, of))
				require.Regexp(t, `^[0-9a-f]{40}$`, one)
				all[one] = true
			}
		}
	}
	require.Len(t, all, 2*3*2)
	require.Equal(t, "x", short("sha256:x"))
}

// Of several of a kind the one counts that is of use.
func TestTheFurthestCounts(t *testing.T) {
	found := furthestSnapshots([]alibaba.Snapshot{{ID: "1", Disk: "d-1", Status: alibaba.SnapshotFailed}, {ID: "2", Disk: "d-1", Status: alibaba.SnapshotAccomplished},
		{ID: "3", Disk: "d-1", Status: alibaba.SnapshotProgressing}, {ID: "4", Disk: "d-2", Status: alibaba.SnapshotFailed}})
	require.Equal(t, []string{"2", "4"}, []string{found["d-1"].ID, found["d-2"].ID})
	p := &membership.Program{Digest: "sha256:x"}
	s := Open(nil, p, true)
	m := &membership.Member{ID: "i-1", Before: map[string]string{FactSystemDisk: "d-1"}}
	images := s.furthestImages([]alibaba.Image{{ID: "1", Name: name(p.Digest, "d-1"), Status: alibaba.ImageFailed}, {ID: "2", Name: name(p.Digest, "d-1"), Status: alibaba.ImageCreating},
		{ID: "3", Name: name(p.Digest, "d-1"), Status: alibaba.ImageFailed}, {ID: "4", Name: "fleetjoin-x-d-9", Status: alibaba.ImageAvailable}}, []*membership.Member{m})
	require.Equal(t, map[string]alibaba.Image{"d-1": {ID: "2", Name: "fleetjoin-x-d-1", Status: alibaba.ImageCreating}}, images)
}

func TestAnActionThatIsNone(t *testing.T) {
	err := Open(nil, &membership.Program{}, true).Do(t.Context(), "defragment", &membership.Member{})
	require.ErrorContains(t, err, `rejected: there is no backup action "defragment"`)
}

// Who is tried again finds what was kept when its story began, and makes nothing under another name.
func TestBackupsKeepTheNameOfTheFirstTry(t *testing.T) {
	p := &membership.Program{Digest: "sha256:bbbb", Members: []membership.Member{
		{ID: "i-1", Origin: "sha256:aaaa", Before: map[string]string{FactSystemDisk: "d-1"}},
		{ID: "i-2", Before: map[string]string{FactSystemDisk: "d-2"}}}}
	s := Open(nil, p, true)
	members, _ := s.remembered([]string{"i-1", "i-2"})
	require.Equal(t, []alibaba.Tag{{Key: tagKey, Value: "aaaa"}, {Key: tagKey, Value: "bbbb"}}, s.origins(members))
	images := s.furthestImages([]alibaba.Image{{ID: "m-1", Name: "fleetjoin-aaaa-d-1"}, {ID: "m-2", Name: "fleetjoin-bbbb-d-1"},
		{ID: "m-3", Name: "fleetjoin-bbbb-d-2"}}, members)
	require.Equal(t, "m-1", images["d-1"].ID)
	require.Equal(t, "m-3", images["d-2"].ID)
}
