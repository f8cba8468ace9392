package targets

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"iter"
	"regexp"
	"strings"

	yaml "go.yaml.in/yaml/v3"

	"github.com/fleetjoin/fleetjoin/cloud/membership"
)

func readYAML(l *targetList) error {
	l.text.left = maxYAML + 1 // beside what the search for a byte order mark has read
	data, err := io.ReadAll(l.in)
	switch {
	case len(data) > maxYAML:
		_ = l.take(membership.Problem{Field: "targets", Value: fmt.Sprintf("more than %d MB of YAML", maxYAML>>20),
			Want: "want CSV or JSON, which are read bit by bit"})
		return errStop
	case err != nil:
		return l.broken(place{line: 1}, err.Error())
	}
	document, err := decodeYAML(data)
	switch {
	case errors.Is(err, io.EOF):
		return nil // nothing, or comments alone
	case err != nil:
		_ = l.take(membership.Problem{Field: "targets", Want: "the list " + err.Error()})
		return errStop
	}
	y := &yamlList{targetList: l}
	switch root := document.Content[0]; {
	case root.Kind == yaml.SequenceNode:
		return y.items(root, "")
	case root.Kind == yaml.MappingNode:
		return y.groups(root)
	case isNull(root):
		return nil
	default:
		return l.fatal(lineOf(root), yamlKind(root), "want a list of ids or objects, or such lists by group")
	}
}

// decodeYAML reads the only document of the text. Its error completes a sentence, or is io.EOF.
func decodeYAML(data []byte) (document yaml.Node, err error) {
	dec := yaml.NewDecoder(bytes.NewReader(data))
	if err = dec.Decode(&document); errors.Is(err, io.EOF) {
		return document, err
	}
	var more yaml.Node
	if err == nil {
		err = dec.Decode(&more)
	}
	switch {
	case errors.Is(err, io.EOF):
		return document, nil
	case err == nil:
		return document, fmt.Errorf("has a second document at line %d; want one", more.Line)
	}
	if at := tabbed.FindIndex(data); at != nil {
		return document, fmt.Errorf("is not YAML: line %d is indented with a tab; want spaces",
			1+bytes.Count(data[:at[0]], []byte("\n")))
	}
	return document, fmt.Errorf("is not YAML: %s", strings.TrimPrefix(err.Error(), "yaml: "))
}

// tabbed is a line with a tab before what it says, of which the package yaml tells no line, or the one before.
var tabbed = regexp.MustCompile(`(?m)^[ -]*\t[ \t]*[^ \t\r\n]`)

// yamlList is a list in YAML that is being read.
type yamlList struct {
	*targetList
	item uint32
}

// groups reads lists by group.
func (y *yamlList) groups(root *yaml.Node) error {
	y.taken.Shape = "lists by group"
	first := make(map[string]place)
	for key, list := range pairs(root) {
		at := lineOf(key)
		var err error
		switch before, twice := first[key.Value]; {
		case key.Kind != yaml.ScalarNode:
			err = y.problem(at, "group", yamlKind(key), "want the id of a group")
		case list.Kind != yaml.SequenceNode:
			err = y.problem(at, "group "+key.Value, yamlKind(list), "want a list of the members under each group")
		case twice:
			err = y.problem(at, "group", membership.Quote(key.Value),
				fmt.Sprintf("is the same as in %s; name each group once", before))
		default:
			first[key.Value] = at
			if err = y.checkID(at, "group", key.Value); err == nil {
				err = y.items(list, key.Value)
			}
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// items reads a list of targets of the group, "" for those that may have their own.
func (y *yamlList) items(list *yaml.Node, group string) error {
	for _, node := range list.Content {
		y.item++
		d := draft{at: place{line: uint32(node.Line), item: y.item}}
		if group != "" {
			d.group = claim{field: "group", value: group, bare: true, at: d.at}
		}
		var err error
		switch {
		case node.Kind == yaml.MappingNode:
			err = y.object(d, node)
		case node.Kind == yaml.ScalarNode && !isNull(node):
			if err = y.id(&d, node.Value); err == nil {
				err = y.add(d)
			}
		default:
			err = y.problem(d.at, "", yamlKind(node), "want an id or an object")
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// object reads a target with fields. Whatever YAML takes a scalar for, its text is the value.
func (y *yamlList) object(d draft, node *yaml.Node) error {
	for key, value := range pairs(node) {
		at := place{line: uint32(value.Line), item: d.at.item}
		var err error
		switch {
		case key.Kind != yaml.ScalarNode:
			err = y.problem(at, "", yamlKind(key), "want the name of a field, such as member")
		case value.Kind != yaml.ScalarNode:
			if y.meaning(key.Value).role == isMember {
				d.member.field = key.Value // what should be one: it is not missing
			}
			err = y.problem(at, key.Value, yamlKind(value), "want one value")
		case !isNull(value):
			err = y.set(&d, at.line, key.Value, value.Value)
		}
		if err != nil {
			return err
		}
	}
	return y.add(d)
}

// pairs are the keys of a mapping with their values.
func pairs(mapping *yaml.Node) iter.Seq2[*yaml.Node, *yaml.Node] {
	return func(yield func(key, value *yaml.Node) bool) {
		for i := 0; i+1 < len(mapping.Content); i += 2 {
			if !yield(mapping.Content[i], mapping.Content[i+1]) {
				return
			}
		}
	}
}

func lineOf(node *yaml.Node) place { return place{line: uint32(node.Line)} }

func isNull(node *yaml.Node) bool { return node.Tag == "!!null" }

func yamlKind(node *yaml.Node) string {
	switch node.Kind {
	case yaml.SequenceNode:
		return "a YAML list"
	case yaml.MappingNode:
		return "a YAML object"
	case yaml.AliasNode:
		return "the YAML alias *" + node.Value
	}
	if isNull(node) {
		return "a YAML null"
	}
	return membership.Quote(node.Value)
}
