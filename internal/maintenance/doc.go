// Package maintenance is the domain of maintenance windows: named times, once or recurring, in which the alerts that
// match are recorded and neither page nor open incidents.
package maintenance
