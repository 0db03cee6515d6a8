package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/quantivista/monitoring/test/bench/otlpload"
)

// ruleGroups is how many groups the rules are in.
const ruleGroups = 40

// ruleFile has a rule for each job: half error ratios over rate, half max_over_time.
func ruleFile() []byte {
	var file strings.Builder
	file.WriteString("groups:\n")
	for group := range ruleGroups {
		fmt.Fprintf(&file, "- name: g%d\n  interval: %s\n  rules:\n", group, rulesInterval)
		for rule := range otlpload.Jobs / ruleGroups {
			job := otlpload.JobName(group*otlpload.Jobs/ruleGroups + rule)
			if rule%2 == 0 {
				fmt.Fprintf(&file, "  - {record: 'job:errors:ratio', labels: {job: %[1]s}, expr: 'sum(rate(%[2]s{job=\"%[1]s\",code=\"500\"}[2m])) / sum(rate(%[2]s{job=\"%[1]s\"}[2m]))'}\n",
					job, otlpload.JobMetric)
			} else {
				fmt.Fprintf(&file, "  - {alert: High, labels: {job: %[1]s}, expr: 'max_over_time(%[2]s{job=\"%[1]s\"}[2m]) > 1e9', for: 5m}\n", job, otlpload.JobMetric)
			}
		}
	}
	return []byte(file.String())
}

// evaluationTime adds up what the last evaluation of each group took, and makes sure that all rules are evaluated, and see
// their series.
func (c *client) evaluationTime(ctx context.Context) (seconds float64, err error) {
	ratios, err := c.vector(ctx, `count(job:errors:ratio)`, time.Now())
	if err != nil {
		return 0, err
	}
	if len(ratios) != 1 || ratios[0].count != otlpload.Jobs/2 {
		return 0, fmt.Errorf("recorded series: %v, want %d", ratios, otlpload.Jobs/2)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.base+"/rules", http.NoBody)
	if err != nil {
		return 0, err
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	var answer struct {
		Data struct {
			Groups []struct {
				Name           string    `json:"name"`
				EvaluationTime float64   `json:"evaluationTime"`
				LastEvaluation time.Time `json:"lastEvaluation"`
				Rules          []struct {
					Name      string `json:"name"`
					Health    string `json:"health"`
					LastError string `json:"lastError"`
				} `json:"rules"`
			} `json:"groups"`
		} `json:"data"`
	}
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil {
		return 0, fmt.Errorf("%s: %w", resp.Status, err)
	}
	rules := 0
	for _, g := range answer.Data.Groups {
		if !strings.HasPrefix(g.Name, "g") {
			continue // ours has one of its own
		}
		if late := time.Since(g.LastEvaluation); late > 2*rulesInterval {
			return 0, fmt.Errorf("group %s was not evaluated for %s", g.Name, late)
		}
		seconds += g.EvaluationTime
		for _, r := range g.Rules {
			rules++
			if r.Health != "ok" {
				return 0, fmt.Errorf("rule %s of group %s is %s: %s", r.Name, g.Name, r.Health, r.LastError)
			}
		}
	}
	if rules != otlpload.Jobs {
		return 0, fmt.Errorf("%d rules, want %d", rules, otlpload.Jobs)
	}
	return seconds, nil
}
