package config

// nearest is the name that was perhaps meant: the one that the fewest single
// letter changes lead to, but no more than two, and fewer than the name has
// letters to spare. It is empty if there is none.
func nearest(name string, names []string) string {
	best, found := 3, ""
	for _, candidate := range names {
		d := distance(name, candidate)
		if d < best && d*2 < len(candidate) {
			best, found = d, candidate
		}
	}
	return found
}

// distance counts the letters to insert, remove or replace between two names.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
