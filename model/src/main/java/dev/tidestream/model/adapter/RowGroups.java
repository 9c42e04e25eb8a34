package dev.tidestream.model.adapter;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

import org.jspecify.annotations.Nullable;

/** Which rows of a batch are computed with which adapter; rows without one are in no group. For one thread. */
public final class RowGroups {
    private final List<Group> groups = new ArrayList<>();
    private int rows;

    /** The rows of one adapter. */
    static final class Group {
        private final Adapter adapter;
        private int[] rows = new int[8];
        private int count;

        private Group(Adapter adapter) {
            this.adapter = adapter;
        }

        Adapter adapter() {
            return adapter;
        }

        int count() {
            return count;
        }

        /** Number i of its rows. */
        int row(int i) {
            return rows[i];
        }

        private void add(int from, int added) {
            if (count + added > rows.length) {
                rows = Arrays.copyOf(rows, Math.max(count + added, 2 * rows.length));
            }
            for (int i = 0; i < added; i++) {
                rows[count++] = from + i;
            }
        }
    }

    /** No rows yet. */
    public void clear() {
        groups.clear();
        rows = 0;
    }

    /** The next rows of the batch. */
    public void add(@Nullable Adapter adapter, int count) {
        if (adapter != null && count > 0) {
            group(adapter).add(rows, count);
        }
        rows += count;
    }

    private Group group(Adapter adapter) {
        for (Group group : groups) {
            if (group.adapter == adapter) {
                return group;
            }
        }
        Group added = new Group(adapter);
        groups.add(added);
        return added;
    }

    /** Whether no row has an adapter. */
    public boolean isEmpty() {
        return groups.isEmpty();
    }

    /** Whether the logits of all rows are made of other matrices than the base's. */
    public boolean replaceAllHeads() {
        int replaced = 0;
        for (Group group : groups) {
            replaced += group.adapter.head().orElse(null) instanceof HeadChange.Replaced ? group.count : 0;
        }
        return rows > 0 && replaced == rows;
    }

    List<Group> groups() {
        return groups;
    }
}
