package dev.tidestream.model.tokenizer;

import java.util.BitSet;
import java.util.function.UnaryOperator;

/**
 * Where a text that was normalised allows control tokens. Normalisers do not say where a character went, so a mark is put wherever
 * a place begins or ends, and looked for in what comes out. A normaliser that the marks disturb leaves no place at all: a control token
 * that the template meant is then text, and nothing that a user wrote is a control token.
 */
final class NormalizedPlaces {
    private static final char FIRST_MARK = '\uFDD0'; // a noncharacter: no script has it, no normaliser knows it
    private static final char LAST_MARK = '\uFDEF';

    private NormalizedPlaces() {}

    /**
     * The places in the normalised text.
     *
     * @param normalized {@code text}, normalised
     * @param normalizer that did it
     */
    static ControlPlaces of(ControlPlaces places, String text, String normalized, UnaryOperator<String> normalizer) {
        if (places == ControlPlaces.EVERYWHERE || places == ControlPlaces.NOWHERE || text.isEmpty()) {
            return places;
        }
        if (places.allow(0, text.length())) {
            return ControlPlaces.EVERYWHERE;
        }
        char mark = FIRST_MARK;
        while (mark <= LAST_MARK && text.indexOf(mark) >= 0) {
            mark++;
        }
        return mark > LAST_MARK ? ControlPlaces.NOWHERE : of(places, text, normalized, normalizer, mark);
    }

    private static ControlPlaces of(
            ControlPlaces places, String text, String normalized, UnaryOperator<String> normalizer, char mark) {
        StringBuilder marked = new StringBuilder(text.length());
        boolean begin = places.allow(0, 1); // goes for what is put in front of the text, too
        boolean inside = begin;
        for (int i = 0; i < text.length(); i++) {
            boolean allowed = places.allow(i, i + 1);
            if (allowed != inside) {
                marked.append(mark);
            }
            marked.append(text.charAt(i));
            inside = allowed;
        }
        String result = normalizer.apply(marked.toString());
        BitSet forbidden = new BitSet(normalized.length());
        StringBuilder plain = new StringBuilder(normalized.length());
        boolean allowed = begin;
        for (int i = 0; i < result.length(); i++) {
            if (result.charAt(i) == mark) {
                allowed = !allowed;
            } else {
                forbidden.set(plain.length(), !allowed);
                plain.append(result.charAt(i));
            }
        }
        if (!plain.toString().equals(normalized) || allowed != inside) {
            return ControlPlaces.NOWHERE;
        }
        return (start, end) -> {
            int next = forbidden.nextSetBit(start);
            return next < 0 || next >= end;
        };
    }
}
