"""The rules of other counters. A total of theirs is reconciled with ours, difference by difference."""
