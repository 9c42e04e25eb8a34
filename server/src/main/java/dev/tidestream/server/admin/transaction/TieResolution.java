package dev.tidestream.server.admin.transaction;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

import org.jspecify.annotations.Nullable;

import dev.tidestream.model.tensor.WeightTensor;
import dev.tidestream.model.transformer.LoadedModel;
import dev.tidestream.protocol.admin.AdminErrorCode;
import dev.tidestream.server.admin.AdminException;
import dev.tidestream.server.admin.Refusals;
import dev.tidestream.server.admin.UpdatesDesk.Tied;

/**
 * What changes of a tied model's output head mean. Its name is another name of the embedding; where both names are used, what comes of
 * both decides, not how it was sent: the same bits are one change. Two that differ, or a head alone where it is not to be an alias, make
 * the head a matrix of its own if that is asked for; otherwise they are refused.
 */
public final class TieResolution {
    private final LoadedModel model;
    private final Trial trial;

    /** Tries changes of the embedding. */
    public interface Trial {
        /**
         * Whether both make the same tensor of the embedding, to the bit.
         *
         * @param other null for no change
         */
        boolean same(PlannedChange change, @Nullable PlannedChange other) throws AdminException;
    }

    public TieResolution(LoadedModel model, Trial trial) {
        this.model = model;
        this.trial = trial;
    }

    /**
     * The changes to be applied, in order.
     *
     * @param planned each of another tensor, those of the output head by its name
     * @param tied what the sender asks for
     * @param separate whether the model's configuration says that head and embedding are two matrices, which have held the same numbers
     * @throws AdminException {@code tie_conflict}
     */
    public List<PlannedChange> resolve(List<PlannedChange> planned, Optional<Tied> tied, boolean separate) throws AdminException {
        Optional<String> output = model.outputName();
        if (!model.blueprint().tied() || output.isEmpty()) {
            return planned;
        }
        PlannedChange head = find(planned, output.get());
        PlannedChange embedding = find(planned, model.embeddingName());
        List<PlannedChange> others = new ArrayList<>(planned);
        others.remove(head);
        boolean byName = (separate && tied.isEmpty()) || tied.equals(Optional.of(Tied.SEPARATE));
        if (head == null) {
            return byName && embedding != null && !trial.same(embedding, null) ? untied(others, null) : others;
        }
        PlannedChange alias = head.of(model.embeddingName());
        if (embedding != null ? trial.same(alias, embedding) : keepsTie(alias, tied, byName)) {
            if (embedding == null) {
                others.add(alias);
            }
            return others;
        }
        if (byName || tied.equals(Optional.of(Tied.UNTIE))) {
            return untied(others, head);
        }
        throw conflict(head, embedding);
    }

    private boolean keepsTie(PlannedChange alias, Optional<Tied> tied, boolean byName) throws AdminException {
        boolean isAlias = !byName && tied.orElse(Tied.KEEP) == Tied.KEEP;
        return isAlias || trial.same(alias, null);
    }

    private static @Nullable PlannedChange find(List<PlannedChange> planned, String tensor) {
        return planned.stream().filter(change -> change.tensor().equals(tensor)).findFirst().orElse(null);
    }

    /** First the copy, which has the embedding's bits of before. */
    private List<PlannedChange> untied(List<PlannedChange> others, @Nullable PlannedChange head) throws AdminException {
        WeightTensor embedding = Refusals.tensor(model, model.embeddingName());
        List<PlannedChange> all = new ArrayList<>();
        all.add(PlannedChange.copy(model.outputName().orElseThrow(), embedding.shape()));
        if (head != null) {
            all.add(head);
        }
        all.addAll(others);
        return all;
    }

    private AdminException conflict(PlannedChange head, @Nullable PlannedChange embedding) {
        return new AdminException(AdminErrorCode.TIE_CONFLICT,
                "tie_conflict: the output head is tied to %s, and the update would make it another matrix: %s; say tied=untie for that"
                        .formatted(model.embeddingName(), embedding == null ? head.name() : embedding.name() + ", " + head.name()));
    }
}
