package dev.tidestream.server.adapters.file;

import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

import org.jspecify.annotations.Nullable;

import dev.tidestream.model.adapter.AdapterBuilder;
import dev.tidestream.model.adapter.AdapterException;
import dev.tidestream.model.adapter.LowRankFactors;
import dev.tidestream.model.adapter.StoredMatrix;
import dev.tidestream.model.architecture.TensorRole;
import dev.tidestream.server.adapters.file.BaseModules.Module;
import dev.tidestream.server.adapters.file.PeftKeys.Entry;
import dev.tidestream.server.adapters.file.PeftKeys.Use;

/**
 * What a PEFT adapter makes of embedding and output head. Of a base that ties them:
 * <ul>
 *   <li>With {@code ensure_weight_tying} a change of one is one of both. If the file has both, they must be the same.
 *   <li>Without, low-rank changes and saved matrices are of the end that they are named for; a warning if both are.
 *   <li>Rows of tokens of the embedding are rows of both, unless the head has rows of other tokens.
 * </ul>
 * Of a base with two matrices each is on its own, and {@code ensure_weight_tying} gets a warning. Source: PEFT 0.21 and its
 * {@code lora.md}.
 */
final class PeftEnds {
    private final PeftConfig config;
    private final boolean baseTied;
    private final boolean ensured; // one change for both
    private final BaseCopies copies;
    private final List<String> warnings;
    private final Module embedding;
    private final Module head;
    private final @Nullable Entry ofEmbedding;
    private final @Nullable Entry ofHead;

    /**
     * What is in force.
     *
     * @param tied whether both ends use one matrix
     * @param savedMatrices whole ones
     * @param rank of low-rank changes; 0 if there are none
     */
    record Outcome(boolean tied, int savedMatrices, int rank) {}

    PeftEnds(PeftConfig config, BaseModules modules, PeftKeys keys, BaseCopies copies, List<String> warnings) {
        this.config = config;
        this.copies = copies;
        this.warnings = warnings;
        this.baseTied = modules.blueprint().tied();
        this.ensured = config.ensureWeightTying() && baseTied;
        List<Module> all = modules.all(keys.layerPrefix(modules.usualPrefix()), keys.headPrefix());
        this.embedding = all.get(all.size() - 2);
        this.head = all.getLast();
        this.ofEmbedding = keys.find(TensorRole.EMBEDDING, -1).orElse(null);
        this.ofHead = keys.find(TensorRole.OUTPUT, -1).orElse(null);
    }

    Outcome build(AdapterBuilder builder) {
        warn();
        requireNamed();
        Optional<LowRankFactors> lookupLow = find(ofEmbedding, Use.EMBEDDING_A).map(a -> factors(
                embedding, a, find(ofEmbedding, Use.EMBEDDING_B).orElseThrow()));
        Optional<LowRankFactors> headLow = find(ofHead, Use.A).map(a -> factors(head, a, find(ofHead, Use.B).orElseThrow()));
        Optional<StoredMatrix> lookupSaved = saved(ofEmbedding, embedding);
        Optional<StoredMatrix> headSaved = saved(ofHead, head);
        Optional<StoredMatrix> lookupRows = find(ofEmbedding, Use.TOKENS);
        Optional<StoredMatrix> headRows = find(ofHead, Use.TOKENS);
        requireOneKind(lookupLow, lookupSaved, lookupRows, embedding);
        requireOneKind(headLow, headSaved, headRows, head);
        if (ensured) {
            requireSameKind(lookupLow, headSaved, headRows);
            requireSameKind(headLow, lookupSaved, lookupRows);
            requireSameKind(lookupSaved, headRows, headLow);
            requireSameKind(headSaved, lookupRows, lookupLow);
        }
        if (lookupLow.isPresent() || headLow.isPresent()) {
            requireNoRowsBeside(lookupRows, headRows);
        }
        boolean lowTied = lowRank(builder, lookupLow, headLow);
        int matrices = saved(builder, lookupSaved, headSaved);
        boolean oneSaved = matrices == 1 && (ensured || (lookupSaved.isPresent() && headSaved.isPresent()));
        boolean rowsTied = rows(builder, lookupRows, headRows);
        int rank = Math.max(lookupLow.map(LowRankFactors::rank).orElse(0), headLow.map(LowRankFactors::rank).orElse(0));
        boolean tied = oneSaved || (baseTied && lowTied && rowsTied && matrices == 0);
        return new Outcome(tied, matrices, rank);
    }

    private void warn() {
        boolean both = (config.targets().targets(embedding.path(), true) || config.saves(embedding.path()))
                && (config.targets().targets(head.path(), true) || config.saves(head.path()));
        if (baseTied && both && !config.ensureWeightTying()) {
            warnings.add("embedding and output head are tied in the base, and the adapter changes each on its own: %s is false"
                    .formatted(PeftConfig.ENSURE));
        }
        if (!baseTied && config.ensureWeightTying()) {
            warnings.add("%s has no effect: the base has a matrix for each of embedding and output head".formatted(PeftConfig.ENSURE));
        }
    }

    /** Refuses what the configuration names and the file lacks, and what it saves that is no end. */
    private void requireNamed() {
        for (String name : config.modulesToSave()) {
            if (!TargetRule.isOrEndsWith(embedding.path(), name) && !TargetRule.isOrEndsWith(head.path(), name)) {
                throw new AdapterException("%s names '%s'; only embedding and output head can be saved as whole".formatted(
                        PeftConfig.SAVED, Names.quote(name)));
            }
        }
        requireNamed(embedding, Use.EMBEDDING_A, config.targets().targets(embedding.path(), true), PeftConfig.TARGETS, Use.A);
        requireNamed(head, Use.A, config.targets().targets(head.path(), true), PeftConfig.TARGETS, Use.EMBEDDING_A);
        requireNamed(embedding, Use.SAVED, config.saves(embedding.path()), PeftConfig.SAVED, Use.SAVED);
        requireNamed(head, Use.SAVED, config.saves(head.path()), PeftConfig.SAVED, Use.SAVED);
    }

    /** @param otherUse of the other end: what will do with one change for both */
    private void requireNamed(Module module, Use use, boolean named, String key, Use otherUse) {
        Entry here = module == head ? ofHead : ofEmbedding;
        Entry there = module == head ? ofEmbedding : ofHead;
        if (named && find(here, use).isEmpty() && !(ensured && find(there, otherUse).isPresent())) {
            throw new AdapterException("%s names '%s', and the file has no tensors of it".formatted(key, Names.quote(module.path())));
        }
    }

    private static Optional<StoredMatrix> find(@Nullable Entry entry, Use use) {
        return entry == null ? Optional.empty() : entry.find(use);
    }

    /** Of the head A (rank, H) and B (V, rank); of the embedding, which is transposed, A (rank, V) and B (H, rank). */
    private LowRankFactors factors(Module module, StoredMatrix a, StoredMatrix b) {
        boolean itself = config.targets().targets(module.path(), true);
        Module other = module == head ? embedding : head;
        if (!itself && !(config.ensureWeightTying() && config.targets().targets(other.path(), true))) {
            throw PeftKeys.unused(a.name(), "%s does not name its module".formatted(PeftConfig.TARGETS));
        }
        String path = itself ? module.path() : other.path();
        Module shaped = module == head ? head
                : new Module(module.path(), module.role(), module.layer(), /* rows= */ module.columns(), /* columns= */ module.rows(),
                        module.prefix());
        PeftFolder.requireFactors(a, b, config.rankOf(path), shaped);
        return new LowRankFactors(config.scaleOf(path), a, b);
    }

    /** A matrix that the adapter brings with it; a copy of the base that nobody named is none. */
    private Optional<StoredMatrix> saved(@Nullable Entry entry, Module module) {
        Optional<StoredMatrix> found = find(entry, Use.SAVED);
        if (found.isEmpty()) {
            return found;
        }
        Module other = module == head ? embedding : head;
        if (config.saves(module.path()) || (config.ensureWeightTying() && config.saves(other.path()))) {
            Shapes.require(found.get(), module.rows(), module.columns(), "%s; a vocabulary of another size is not supported (%s)"
                    .formatted(Shapes.ofModel(module.path(), module.rows(), module.columns()), PeftConfig.SAVED));
            return found;
        }
        copies.require(module, found.get());
        return Optional.empty();
    }

    private static void requireOneKind(Optional<?> low, Optional<?> saved, Optional<?> rows, Module module) {
        if (count(low, saved, rows) > 1) {
            throw new AdapterException("'%s' is changed in several ways (low rank, %s, %s), which is not supported".formatted(
                    Names.quote(module.path()), PeftConfig.SAVED, PeftConfig.TOKENS));
        }
    }

    private static long count(Optional<?>... found) {
        return Arrays.stream(found).filter(Optional::isPresent).count();
    }

    private static void requireSameKind(Optional<?> one, Optional<?> other, Optional<?> another) {
        if (one.isPresent() && (other.isPresent() || another.isPresent())) {
            throw new AdapterException("%s is true, and embedding and output head are changed in different ways".formatted(PeftConfig.ENSURE));
        }
    }

    private void requireNoRowsBeside(Optional<StoredMatrix> lookupRows, Optional<StoredMatrix> headRows) {
        if (baseTied && count(lookupRows, headRows) > 0) {
            throw new AdapterException("%s beside a low-rank change of embedding or output head is not supported: %s".formatted(
                    PeftConfig.TOKENS, lookupRows.or(() -> headRows).orElseThrow().name()));
        }
    }

    /** Whether low-rank changes leave both ends with one matrix, if they had one. */
    private boolean lowRank(AdapterBuilder builder, Optional<LowRankFactors> lookup, Optional<LowRankFactors> output) {
        if (ensured && (lookup.isPresent() || output.isPresent())) {
            if (lookup.isPresent() && output.isPresent()) {
                requireEqual(lookup.get().a(), output.get().b().transposed());
                requireEqual(lookup.get().b(), output.get().a().transposed());
                requireEqualScales(lookup.get(), output.get());
            }
            builder.both(output.orElseGet(() -> lookup.orElseThrow().transposed()));
            return true;
        }
        lookup.ifPresent(builder::lookup);
        output.ifPresent(builder::head);
        return lookup.isEmpty() && output.isEmpty();
    }

    private static void requireEqualScales(LowRankFactors lookup, LowRankFactors output) {
        if (lookup.scale() != output.scale()) {
            throw conflict(lookup.a(), output.a());
        }
    }

    private static void requireEqual(StoredMatrix one, StoredMatrix other) {
        if (!equal(one, other)) {
            throw conflict(one, other);
        }
    }

    private static AdapterException conflict(StoredMatrix one, StoredMatrix other) {
        return new AdapterException("'%s' and '%s' differ, and %s is true: what is tied cannot be both"
                .formatted(one.name(), other.name(), PeftConfig.ENSURE));
    }

    private static boolean equal(StoredMatrix one, StoredMatrix other) {
        if (one.rows() != other.rows() || one.columns() != other.columns()) {
            return false;
        }
        if (one.format() == other.format()) {
            return one.data().mismatch(other.data()) < 0;
        }
        return one.floats().data().mismatch(other.floats().data()) < 0;
    }

    /** How many matrices are held. */
    private int saved(AdapterBuilder builder, Optional<StoredMatrix> lookup, Optional<StoredMatrix> output) {
        if (lookup.isEmpty() && output.isEmpty()) {
            return 0;
        }
        boolean same = lookup.isPresent() && output.isPresent() && equal(lookup.get(), output.get());
        if (ensured || same) {
            if (lookup.isPresent() && output.isPresent() && !same) {
                throw conflict(lookup.get(), output.get());
            }
            StoredMatrix both = lookup.or(() -> output).orElseThrow();
            builder.lookup(both).head(both);
            return 1;
        }
        lookup.ifPresent(builder::lookup);
        output.ifPresent(builder::head);
        return (int) count(lookup, output);
    }

    /** Whether rows of tokens leave both ends with one matrix, if they had one. */
    private boolean rows(AdapterBuilder builder, Optional<StoredMatrix> lookup, Optional<StoredMatrix> output) {
        Optional<int[]> lookupTokens = config.tokensOf(embedding.path(), true);
        Optional<int[]> headTokens = config.tokensOf(head.path(), false);
        boolean sameTokens = lookupTokens.isPresent() && headTokens.isPresent() && Arrays.equals(lookupTokens.get(), headTokens.get());
        if (ensured && lookupTokens.isPresent() && headTokens.isPresent() && !sameTokens) {
            throw new AdapterException("%s differ for embedding and output head, and %s is true".formatted(
                    PeftConfig.TOKENS, PeftConfig.ENSURE));
        }
        boolean both = baseTied && (ensured ? lookup.isPresent() || output.isPresent()
                : lookup.isPresent() && (headTokens.isEmpty() || sameTokens));
        if (both) {
            StoredMatrix rows = lookup.or(() -> output).orElseThrow();
            int[] tokens = requireRows(lookupTokens.or(() -> headTokens).orElse(null), rows, embedding);
            if (lookup.isPresent() && output.isPresent()) {
                requireEqual(lookup.get(), output.get());
            }
            builder.lookup(tokens, rows).head(tokens, rows);
            return true;
        }
        requireThere(lookupTokens, lookup, embedding);
        requireThere(headTokens, output, head);
        lookup.ifPresent(rows -> builder.lookup(requireRows(lookupTokens.orElse(null), rows, embedding), rows));
        output.ifPresent(rows -> builder.head(requireRows(headTokens.orElse(null), rows, head), rows));
        return lookup.isEmpty() && output.isEmpty();
    }

    private static void requireThere(Optional<int[]> tokens, Optional<StoredMatrix> rows, Module module) {
        if (tokens.isPresent() && rows.isEmpty()) {
            throw new AdapterException("%s names '%s', and the file has no trainable_tokens_delta of it".formatted(
                    PeftConfig.TOKENS, Names.quote(module.path())));
        }
    }

    private static int[] requireRows(int @Nullable [] tokens, StoredMatrix rows, Module module) {
        if (tokens == null) {
            throw PeftKeys.unused(rows.name(), "%s does not name its module".formatted(PeftConfig.TOKENS));
        }
        Shapes.require(rows, tokens.length, module.columns(), "%s has %d tokens, and %s".formatted(
                PeftConfig.TOKENS, tokens.length, Shapes.ofModel(module.path(), module.rows(), module.columns())));
        Set<Integer> seen = new HashSet<>();
        for (int token : tokens) {
            if (token >= module.rows() || !seen.add(token)) {
                throw new AdapterException("%s: a token that is there twice, or is not in the vocabulary: token=%d, vocabulary=%d"
                        .formatted(PeftConfig.TOKENS, token, module.rows()));
            }
        }
        return tokens;
    }
}
