package alert

import "strconv"

// formatValue writes a value so that equal ones have one form, NaN included.
func formatValue(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }
