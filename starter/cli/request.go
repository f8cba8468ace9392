package cli

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"regexp"
	"strings"

	"github.com/spf13/cobra"
	"sigs.k8s.io/yaml"

	"github.com/fleetjoin/fleetjoin/cloud/fleet"
	"github.com/fleetjoin/fleetjoin/cloud/membership"
)

// maxRequest, in bytes, is what Temporal takes as an input, with room to spare: some 25,000 ids.
const maxRequest = 1 << 20

// Source is where a plan comes from: a file, or flags for a member or a few.
type Source struct {
	File       string     // "-" is standard input
	Step       fleet.Step // by flags
	ParamFlags []string   // name=value, the value as in YAML
}

// flags declares the flags that make a request.
func (s *Source) flags(cmd *cobra.Command) {
	fs := cmd.Flags()
	fs.StringVarP(&s.File, "file", "f", "", "request `file`, YAML or JSON; - is standard input")
	fs.StringVar(&s.Step.Kind, "kind", "", "kind, such as huawei.servergroup (fleetjoin kinds lists them)")
	fs.StringVar(&s.Step.Account, "account", "", "account, by its name in the worker's accounts file")
	fs.StringVar(&s.Step.Group, "group", "", "id of the group")
	fs.StringVar(&s.Step.From, "from", "", "id of the group that they leave for it, where the kind moves members")
	fs.StringArrayVar(&s.Step.Members, "member", nil, "id of a member; may be given more than once")
	fs.StringArrayVar(&s.ParamFlags, "param", nil, "parameter of the kind, `name=value`; may be given more than once")
}

// args takes the file as the only positional argument, too.
func (s *Source) args(args []string) error {
	switch {
	case len(args) == 1 && s.File != "":
		return &usageError{fmt.Errorf("two request files, %q and %q; name one", s.File, args[0])}
	case len(args) == 1:
		s.File = args[0]
	}
	return nil
}

func (s *Source) byFlags() bool {
	return s.Step.Kind != "" || s.Step.Account != "" || s.Step.Group != "" || s.Step.From != "" || len(s.Step.Members) > 0 || len(s.ParamFlags) > 0
}

// load returns what was asked for, as JSON, from wherever it comes.
func (s *Source) load(stdin io.Reader) ([]byte, error) {
	switch {
	case s.File != "" && s.byFlags():
		return nil, badValue("request", s.File,
			"comes from a file and from flags; give the file, or --kind, --account, --group and --member")
	case s.File == "" && !s.byFlags():
		return nil, badValue("request", "", "is missing; name a file, - for standard input, or give "+
			"--kind, --account, --group and --member")
	}
	return s.bytes(stdin)
}

// bytes returns the request as JSON.
func (s *Source) bytes(stdin io.Reader) ([]byte, error) {
	if s.File == "" {
		return s.fromFlags()
	}
	in, name := stdin, "standard input"
	if s.File != "-" {
		name = s.File
		f, err := openFile(s.File)
		if err != nil {
			return nil, err
		}
		defer func() { _ = f.Close() }() // it was only read
		in = f
	}
	data, err := io.ReadAll(io.LimitReader(in, maxRequest+1))
	switch {
	case err != nil:
		return nil, badValue("file", name, "cannot be read: "+err.Error())
	case len(data) > maxRequest:
		return nil, badValue("file", name, fmt.Sprintf("is longer than %d bytes; put the members into a target file and name it: targets: {file: NAME}",
			maxRequest))
	}
	return toJSON(data, name)
}

func openFile(path string) (*os.File, error) {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, badValue("file", path, "does not exist; name a request file, YAML or JSON")
	case err != nil:
		return nil, badValue("file", path, "cannot be read: "+err.Error())
	case info.IsDir():
		return nil, badValue("file", path, "is a folder; name a request file in it")
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, badValue("file", path, "cannot be read: "+err.Error())
	}
	return f, nil
}

var (
	document = regexp.MustCompile(`(?m)^---(?:\s|$)`)
	content  = regexp.MustCompile(`(?m)^[ \t]*[^ \t\r\n#%]`) // anything but blanks, comments and directives
	tabbed   = regexp.MustCompile(`(?m)^[ -]*\t[ \t]*[^ \t\r\n]`)
	yamlLine = regexp.MustCompile(`^(?:error converting YAML to JSON: )?(?:yaml: )?(?:unmarshal errors:\s*)?`)
)

const wantMapping = "want a mapping with kind, account, group and members, or with steps"

// toJSON turns YAML, of which JSON is a part, into JSON. A key that stands twice is refused, and so is a second document.
func toJSON(data []byte, name string) ([]byte, error) {
	var compact bytes.Buffer
	if json.Compact(&compact, data) == nil {
		data = compact.Bytes() // YAML takes exception to JSON that is indented with tabs
	}
	switch documents(data) {
	case 0:
		return nil, badValue("file", name, "is empty; "+wantMapping)
	case 1:
	default:
		return nil, badValue("file", name, "has more than one YAML document; put each request into a file of its own")
	}
	out, err := yaml.YAMLToJSONStrict(data)
	if err != nil {
		if at := tabbed.FindIndex(data); at != nil {
			return nil, badValue("file", name, fmt.Sprintf("is not YAML: line %d is indented with a tab; want spaces",
				1+bytes.Count(data[:at[0]], []byte("\n"))))
		}
		text := strings.Join(strings.Fields(yamlLine.ReplaceAllString(err.Error(), "")), " ")
		return nil, badValue("file", name, "is neither YAML nor JSON: "+text)
	}
	if len(out) == 0 || out[0] != '{' {
		return nil, badValue("file", name, "is not a mapping but "+shape(out)+"; "+wantMapping)
	}
	return out, nil
}

// documents counts the YAML documents that have content; the YAML library would silently take the first.
func documents(data []byte) int {
	n := 0
	for _, part := range document.Split(string(data), -1) {
		if content.MatchString(part) {
			n++
		}
	}
	return n
}

func shape(value []byte) string {
	switch {
	case len(value) == 0 || bytes.Equal(value, []byte("null")):
		return "nothing"
	case value[0] == '[':
		return "a list"
	case value[0] == '"':
		var text string
		_ = json.Unmarshal(value, &text) // it is what the YAML library just wrote
		return "the text " + membership.Quote(text)
	default:
		return "the value " + string(value)
	}
}

func (s *Source) fromFlags() ([]byte, error) {
	r := s.Step
	for _, p := range s.ParamFlags {
		name, text, ok := strings.Cut(p, "=")
		if !ok || name == "" {
			return nil, badValue("--param", p, "want name=value")
		}
		var value any
		if err := yaml.UnmarshalStrict([]byte(text), &value); err != nil {
			value = text // not YAML; then it is the text that it is
		}
		if _, twice := r.Params[name]; twice {
			return nil, badValue("--param", p, "sets "+name+" a second time; give each parameter once")
		}
		if r.Params == nil {
			r.Params = membership.Params{}
		}
		r.Params[name] = value
	}
	data, err := json.Marshal(r)
	if err != nil {
		return nil, badValue("request", "", "cannot be written as JSON: "+err.Error())
	}
	return data, nil
}

func badValue(field, value, want string) error {
	p := membership.Problem{Field: field, Want: want}
	if value != "" {
		p.Value = membership.Quote(value)
	}
	return membership.Bad([]membership.Problem{p})
}

// readPlan returns the plan, for an operation unless its steps have their own, after everything about it has been checked that
// can be without Temporal or a cloud. Its error is a *membership.BadInput with all that is wrong. The one who asks is filled in
// unless the plan says so: who has a gate must ask by name. Where votes are signed that is the name of a key, and only a
// person can say which.
func readPlan(f *Factory, s *Source, op membership.Operation) (p fleet.Plan, err error) {
	data, err := s.load(f.In)
	if err != nil {
		return p, err
	}
	if p, err = fleet.DecodePlan(data); err != nil {
		return p, err
	}
	if p.Requester == "" && (p.Approval == nil || !p.Approval.Signed) {
		p.Requester = me()
	}
	if op == membership.Leave {
		err = leave(&p)
	}
	if err != nil {
		return p, err
	}
	return p, membership.Bad(problemsOf(p, f.Kinds))
}

// leave turns every step round.
func leave(p *fleet.Plan) error {
	for i, step := range p.StepList() {
		if step.Operation != "" {
			return badValue(p.At(i)+"operation", string(step.Operation), "says what the step does; use apply")
		}
	}
	p.Operation = membership.Leave
	for i := range p.Steps {
		p.Operation, p.Steps[i].Operation = "", membership.Leave
	}
	return nil
}

// problemsOf returns what is wrong with a plan: for any kind and, as far as it names members itself, for the kinds of its steps.
func problemsOf(p fleet.Plan, kinds []membership.Kind) []membership.Problem {
	problems := p.Problems()
	sound := len(problems) == 0
	for i, step := range p.StepList() {
		kind, err := membership.Find(kinds, step.Kind)
		switch {
		case len(membership.CheckName("kind", step.Kind)) > 0: // which is told already
			continue
		case err == nil && sound && step.Group != "" && len(step.Members) > 0:
			err = membership.Bad(membership.Validate(kind, membership.Request{Kind: step.Kind, Account: step.Account, Group: step.Group, From: step.From,
				Members: step.Members[:min(len(step.Members), kind.Spec().PageLimit)], Params: step.Params}))
		}
		var bad *membership.BadInput
		if errors.As(err, &bad) {
			for _, problem := range bad.Problems {
				problem.Field = p.At(i) + problem.Field
				problems = append(problems, problem)
			}
		}
	}
	return fleet.Limited(problems)
}
