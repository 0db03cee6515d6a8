package evidence

import (
	"math"
	"strings"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/parser"
)

// expression is the PromQL of a rule, taken apart.
type expression struct {
	// query is what the rule compares: the left side of "and" and "unless", without a comparison with a number.
	query     string
	threshold *Threshold
	// selectors are those of the query.
	selectors [][]*labels.Matcher
}

// parse takes a rule's expression apart.
func parse(text string) (*expression, error) {
	expr, err := parser.ParseExpr(text)
	if err != nil {
		return nil, err
	}
	watched, threshold := watchedBy(expr)
	e := &expression{query: watched.String(), threshold: threshold}
	for _, matchers := range parser.ExtractSelectors(watched) {
		e.selectors = append(e.selectors, matchers)
		if buckets := bucketsOf(matchers); buckets != nil {
			e.selectors = append(e.selectors, buckets)
		}
	}
	return e, nil
}

// watchedBy gives the part of an expression whose values it gives, and what they are compared with last.
func watchedBy(expr parser.Expr) (parser.Expr, *Threshold) {
	switch e := expr.(type) {
	case *parser.ParenExpr:
		return watchedBy(e.Expr)
	case *parser.StepInvariantExpr:
		return watchedBy(e.Expr)
	case *parser.BinaryExpr:
		switch {
		case e.Op == parser.LAND || e.Op == parser.LUNLESS:
			return watchedBy(e.LHS)
		case !e.Op.IsComparisonOperator() || e.ReturnBool:
			return expr, nil
		}
		if value, is := number(e.RHS); is {
			return bare(e.LHS), &Threshold{Op: parser.ItemTypeStr[e.Op], Value: value}
		}
		if value, is := number(e.LHS); is {
			return bare(e.RHS), &Threshold{Op: turned(parser.ItemTypeStr[e.Op]), Value: value}
		}
	}
	return expr, nil
}

// bare takes parentheses away.
func bare(expr parser.Expr) parser.Expr {
	for {
		p, is := expr.(*parser.ParenExpr)
		if !is {
			return expr
		}
		expr = p.Expr
	}
}

func number(expr parser.Expr) (float64, bool) {
	n, is := bare(expr).(*parser.NumberLiteral)
	if !is || math.IsNaN(n.Val) || math.IsInf(n.Val, 0) { // JSON has no other numbers
		return 0, false
	}
	return n.Val, true
}

// turned is the comparison with its sides exchanged.
func turned(op string) string {
	switch op[0] {
	case '<':
		return ">" + op[1:]
	case '>':
		return "<" + op[1:]
	default:
		return op
	}
}

// bucketsOf gives the selector of a histogram's buckets, which have its exemplars, for that of its count or sum; nil for
// any other.
func bucketsOf(matchers []*labels.Matcher) []*labels.Matcher {
	buckets := make([]*labels.Matcher, len(matchers))
	found := false
	for i, m := range matchers {
		buckets[i] = m
		if m.Name != model.MetricNameLabel || m.Type != labels.MatchEqual {
			continue
		}
		family, isCount := strings.CutSuffix(m.Value, "_count")
		if !isCount {
			if family, isCount = strings.CutSuffix(m.Value, "_sum"); !isCount {
				return nil
			}
		}
		buckets[i], found = labels.MustNewMatcher(labels.MatchEqual, model.MetricNameLabel, family+"_bucket"), true
	}
	if !found {
		return nil
	}
	return buckets
}
