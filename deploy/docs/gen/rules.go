package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"regexp"
	"strconv"
	"strings"

	"github.com/fleetjoin/fleetjoin/cloud/verdict"
)

// cited is where a fact stands in the notes that a table was made from; they are not in the repository.
var cited = regexp.MustCompile(`^(§[\d.]+|page): | \(§[\d.]+\)`)

// group is a part of a client's table of verdicts, with the comment that stands above it.
type group struct {
	about string
	rules verdict.Table
}

// readRules reads the table `var rules = slices.Concat(…)` of a client from its source. The table is the client's own
// business and not exported, and its comments, which a compiled package has lost, belong in the page.
func readRules(path string) ([]group, error) {
	r := &reader{files: token.NewFileSet(), values: map[string]ast.Expr{}}
	file, err := parser.ParseFile(r.files, path, nil, parser.ParseComments)
	if err != nil {
		return nil, err
	}
	ast.Inspect(file, func(n ast.Node) bool {
		if v, ok := n.(*ast.ValueSpec); ok && len(v.Values) == len(v.Names) {
			for i, name := range v.Names {
				r.values[name.Name] = v.Values[i]
			}
		}
		return true
	})
	table, ok := r.values["rules"].(*ast.CallExpr)
	if !ok {
		return nil, fmt.Errorf("%s has no rules", path)
	}
	var groups []group
	after := table.Lparen
	for _, arg := range table.Args {
		if about := commentBetween(file, after, arg.Pos()); about != "" || len(groups) == 0 {
			groups = append(groups, group{about: about})
		}
		last := &groups[len(groups)-1]
		last.rules = append(last.rules, r.rules(arg)...)
		after = arg.End()
	}
	return groups, r.err
}

func commentBetween(file *ast.File, from, to token.Pos) string {
	for _, c := range file.Comments {
		if from < c.Pos() && c.End() < to {
			return cited.ReplaceAllString(strings.Join(strings.Fields(c.Text()), " "), "")
		}
	}
	return ""
}

// reader turns expressions into values and keeps the first that it does not understand.
type reader struct {
	files  *token.FileSet
	values map[string]ast.Expr // of the file's constants and variables
	err    error
}

// rules reads answers(status, read, write, why, codes…) and on(op, answers(…)).
func (r *reader) rules(e ast.Expr) verdict.Table {
	call, ok := e.(*ast.CallExpr)
	if !ok {
		return r.puzzled(e)
	}
	name, _ := call.Fun.(*ast.Ident)
	switch {
	case name != nil && name.Name == "on" && len(call.Args) == 2:
		table := r.rules(call.Args[1])
		for i := range table {
			table[i].Op = r.text(call.Args[0])
		}
		return table
	case name != nil && name.Name == "answers" && len(call.Args) > 4:
		var table verdict.Table
		for _, arg := range call.Args[4:] {
			for _, code := range r.codes(arg) {
				table = append(table, verdict.Rule{Status: r.number(call.Args[0]), Read: r.verdict(call.Args[1]),
					Write: r.verdict(call.Args[2]), Why: r.why(call.Args[3]), Code: code})
			}
		}
		return table
	}
	return r.puzzled(e)
}

func (r *reader) puzzled(e ast.Expr) verdict.Table {
	if r.err == nil {
		r.err = fmt.Errorf("%s: not understood; teach it to deploy/docs/gen", r.files.Position(e.Pos()))
	}
	return nil
}

func (r *reader) literal(e ast.Expr, kind token.Token) string {
	lit, ok := e.(*ast.BasicLit)
	if !ok || lit.Kind != kind {
		r.puzzled(e)
		return ""
	}
	return lit.Value
}

// codes reads a code, or a name that stands for one or for a list of them.
func (r *reader) codes(e ast.Expr) (all []string) {
	if name, ok := e.(*ast.Ident); ok && r.values[name.Name] != nil {
		e = r.values[name.Name]
	}
	list, ok := e.(*ast.CompositeLit)
	if !ok {
		return []string{r.text(e)}
	}
	for _, code := range list.Elts {
		all = append(all, r.codes(code)...)
	}
	return all
}

func (r *reader) number(e ast.Expr) int {
	n, err := strconv.Atoi(r.literal(e, token.INT))
	if err != nil {
		r.puzzled(e)
	}
	return n
}

func (r *reader) text(e ast.Expr) string {
	s, err := strconv.Unquote(r.literal(e, token.STRING))
	if err != nil {
		r.puzzled(e)
	}
	return s
}

func (r *reader) why(e ast.Expr) string { return cited.ReplaceAllString(r.text(e), "") }

// verdict reads the table's short names, which are the verdicts' own words, and "" where there can be none.
func (r *reader) verdict(e ast.Expr) verdict.Verdict {
	if name, ok := e.(*ast.Ident); ok {
		return verdict.Verdict(name.Name)
	}
	return verdict.Verdict(r.text(e))
}
