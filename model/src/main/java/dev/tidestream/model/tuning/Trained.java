package dev.tidestream.model.tuning;

import java.util.List;
import java.util.Set;

/**
 * What is trained. At least one of the two.
 *
 * @param targets linear layers that get an adapter; none for no adapters
 * @param rank of adapters
 * @param alpha adapters are multiplied by {@code alpha / rank}
 * @param rows tokens whose rows of the embedding are trained, ascending; none for no rows
 */
public record Trained(Set<Target> targets, int rank, double alpha, List<Integer> rows) {
    public Trained {
        targets = Set.copyOf(targets);
        rows = List.copyOf(rows);
        if (targets.isEmpty() && rows.isEmpty()) {
            throw new TuningException("nothing to train: neither adapters nor rows");
        }
        if (!targets.isEmpty() && (rank < 1 || !(alpha > 0))) {
            throw new TuningException("adapters need a rank of at least 1 and an alpha above 0: rank=%d, alpha=%s".formatted(rank, alpha));
        }
    }
}
