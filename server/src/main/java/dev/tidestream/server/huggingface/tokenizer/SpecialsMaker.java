package dev.tidestream.server.huggingface.tokenizer;

import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Set;

import dev.tidestream.model.tokenizer.TokenizerException;
import dev.tidestream.model.tokenizer.TokenizerSpec.Specials;

/** Puts together what a vocabulary and what stands beside it say of special tokens. */
final class SpecialsMaker {
    private SpecialsMaker() {}

    /**
     * What {@code add_bos_token} and {@code add_eos_token} say goes before what the vocabulary's file says.
     *
     * @param tokens ids by text
     * @param unknown of the vocabulary's file
     * @param prefix of the vocabulary's file
     * @param suffix of the vocabulary's file
     */
    static Specials make(String file, TokenizerSettings settings, Map<String, Integer> tokens, int size, OptionalInt unknown,
            List<Integer> prefix, List<Integer> suffix) {
        OptionalInt bos = settings.id("bos", tokens, size);
        OptionalInt eos = settings.id("eos", tokens, size);
        Set<Integer> ends = new LinkedHashSet<>();
        settings.ends().stream().filter(id -> id >= 0 && id < size).forEach(ends::add);
        return new Specials(
                bos,
                eos,
                unknown.isPresent() ? unknown : settings.id("unk", tokens, size),
                settings.id("pad", tokens, size),
                Set.copyOf(ends),
                around(file, settings, "add_bos_token", bos, prefix),
                around(file, settings, "add_eos_token", eos, suffix));
    }

    private static List<Integer> around(String file, TokenizerSettings settings, String flag, OptionalInt id, List<Integer> there) {
        boolean asked = settings.flag(flag).orElse(false);
        if (asked && id.isEmpty()) {
            throw new TokenizerException("%s: %s of tokenizer_config.json: true, but there is no such token".formatted(file, flag));
        }
        if (settings.flag(flag).isEmpty() || (asked && there.contains(id.getAsInt()))) {
            return List.copyOf(there);
        }
        if (asked) {
            return List.of(id.getAsInt());
        }
        List<Integer> without = new ArrayList<>(there);
        id.ifPresent(token -> without.removeIf(each -> each == token));
        return List.copyOf(without);
    }
}
