package main

import (
	"cmp"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/fleetjoin/fleetjoin/cloud/verdict"
)

// cited is where a fact stands in the notes that a table was made from; they are not in the repository.
var cited = regexp.MustCompile(`^(§[\d.]+|page): | \(§[\d.]+\)`)

// judged is how the comment of a table says whose answers it judges.
var judged = regexp.MustCompile(`says what (?:the )?answers of ([^.;]+?) mean`)

// table is one of a client's tables of verdicts.
type table struct {
	of     string // whose answers it judges, such as "the gateway and of ECS"
	groups []group
}

// group is a part of a table, with the comment that stands above it.
type group struct {
	about string
	rules verdict.Table
}

// ruleFiles finds the files that a client keeps its tables in, the one that all of its products share first.
func ruleFiles(dir string) ([]string, error) {
	files, err := filepath.Glob(filepath.Join(dir, "*rules.go"))
	if err != nil {
		return nil, err
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("%s has no *rules.go", dir)
	}
	slices.SortFunc(files, func(a, b string) int { return cmp.Or(cmp.Compare(len(a), len(b)), cmp.Compare(a, b)) })
	return files, nil
}

// readTables reads every table `var …ules = slices.Concat(…)` of a client from its sources. Tables are the client's own
// business and not exported, and their comments, which a compiled package has lost, belong in the page.
func readTables(dir string) ([]table, error) {
	paths, err := ruleFiles(dir)
	if err != nil {
		return nil, err
	}
	r := &reader{files: token.NewFileSet(), values: map[string]ast.Expr{}}
	var sources []*ast.File
	for _, path := range paths {
		file, err := parser.ParseFile(r.files, path, nil, parser.ParseComments)
		if err != nil {
			return nil, err
		}
		sources = append(sources, file)
		ast.Inspect(file, func(n ast.Node) bool {
			if v, ok := n.(*ast.ValueSpec); ok && len(v.Values) == len(v.Names) {
				for i, name := range v.Names {
					r.values[name.Name] = v.Values[i]
				}
			}
			return true
		})
	}
	var tables []table
	for i, file := range sources {
		before := len(tables)
		for _, d := range file.Decls {
			if name, list, ok := tableIn(d); ok {
				tables = append(tables, r.table(file, name, d.(*ast.GenDecl).Doc.Text(), list))
			}
		}
		if len(tables) == before {
			return nil, fmt.Errorf("%s has no table", paths[i])
		}
	}
	return tables, r.err
}

// tableIn recognizes the declaration of a table by its name and its making.
func tableIn(d ast.Decl) (name string, list *ast.CallExpr, ok bool) {
	g, ok := d.(*ast.GenDecl)
	if !ok || g.Tok != token.VAR || len(g.Specs) != 1 {
		return "", nil, false
	}
	v := g.Specs[0].(*ast.ValueSpec)
	if len(v.Values) != 1 || !strings.HasSuffix(v.Names[0].Name, "ules") {
		return "", nil, false
	}
	list, ok = v.Values[0].(*ast.CallExpr)
	return v.Names[0].Name, list, ok
}

// reader turns expressions into values and keeps the first that it does not understand.
type reader struct {
	files  *token.FileSet
	values map[string]ast.Expr // of the files' constants and variables
	err    error
}

func (r *reader) table(file *ast.File, name, doc string, list *ast.CallExpr) table {
	found := judged.FindStringSubmatch(strings.Join(strings.Fields(doc), " "))
	if found == nil {
		r.fail(list, "the comment of "+name+` does not read "says what the answers of … mean"`)
		return table{}
	}
	t := table{of: found[1]}
	after := list.Lparen
	for _, arg := range list.Args {
		if other, ok := arg.(*ast.Ident); ok && strings.HasSuffix(other.Name, "ules") {
			after = arg.End()
			continue // another table, which is read by itself
		}
		if about := commentBetween(file, after, arg.Pos()); about != "" || len(t.groups) == 0 {
			t.groups = append(t.groups, group{about: about})
		}
		last := &t.groups[len(t.groups)-1]
		last.rules = append(last.rules, r.rules(arg)...)
		after = arg.End()
	}
	return t
}

func commentBetween(file *ast.File, from, to token.Pos) string {
	for _, c := range file.Comments {
		if from < c.Pos() && c.End() < to {
			return cited.ReplaceAllString(strings.Join(strings.Fields(c.Text()), " "), "")
		}
	}
	return ""
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

func (r *reader) fail(e ast.Expr, why string) {
	if r.err == nil {
		r.err = fmt.Errorf("%s: %s: write it as the others are, with whole literals, or teach it to deploy/docs/gen", r.files.Position(e.Pos()), why)
	}
}

func (r *reader) puzzled(e ast.Expr) verdict.Table {
	r.fail(e, "not understood")
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
