package dev.tidestream.model.tokenizer;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Comparator;
import java.util.List;

/**
 * Cuts a text at the tokens that are written in it as they are: user-defined ones always, control ones when asked for. As in
 * llama.cpp the longest token is cut out first, wherever it stands, then the next longest from what is left.
 *
 * <p>A vocabulary may have thousands of them, so one pass over the text with a trie finds which occur at all, and only those
 * are searched for.
 */
final class SpecialTokens {

    /** A part of the text; {@code token} is -1 where it is still to be encoded. */
    record Part(int start, int end, int token) {
        static final int TEXT = -1;
    }

    private final String[] texts; // longest first
    private final int[] ids;
    private final boolean[] control;
    private final PairTable trie; // (node, char) → node; the root is 0
    private final int[] ends; // node → index into texts, or -1
    private final BitSet firstChars = new BitSet();

    SpecialTokens(Vocabulary vocabulary) {
        List<Integer> found = new ArrayList<>();
        for (int id = 0; id < vocabulary.size(); id++) {
            TokenType type = vocabulary.type(id);
            if ((type.isSpecial() || type == TokenType.USER_DEFINED) && !vocabulary.text(id).isEmpty()) {
                found.add(id);
            }
        }
        found.sort(Comparator.comparingInt((Integer id) -> -Utf8.length(vocabulary.text(id))));
        int count = found.size();
        texts = new String[count];
        ids = new int[count];
        control = new boolean[count];
        long chars = found.stream().mapToLong(id -> vocabulary.text(id).length()).sum();
        trie = new PairTable(chars);
        ends = new int[Math.toIntExact(chars + 1)];
        Arrays.fill(ends, -1);
        int nodes = 1;
        for (int i = 0; i < count; i++) {
            ids[i] = found.get(i);
            texts[i] = vocabulary.text(ids[i]);
            control[i] = vocabulary.type(ids[i]).isSpecial();
            nodes = plant(i, nodes);
        }
    }

    private int plant(int index, int nodes) {
        String text = texts[index];
        firstChars.set(text.charAt(0));
        int node = 0;
        int used = nodes;
        for (int i = 0; i < text.length(); i++) {
            int slot = trie.find(node, text.charAt(i));
            if (slot == PairTable.ABSENT) {
                trie.add(node, text.charAt(i), used, 0);
                node = used++;
            } else {
                node = trie.first(slot);
            }
        }
        if (ends[node] < 0) {
            ends[node] = index;
        }
        return used;
    }

    /** Cuts the text into parts, in order, none of them empty. */
    List<Part> split(String text, boolean parseControl) {
        List<Part> parts = text.isEmpty() ? List.of() : List.of(new Part(0, text.length(), Part.TEXT));
        BitSet occurring = occurring(text);
        for (int i = occurring.nextSetBit(0); i >= 0; i = occurring.nextSetBit(i + 1)) {
            if (parseControl || !control[i]) {
                parts = cut(text, parts, texts[i], ids[i]);
            }
        }
        return parts;
    }

    private BitSet occurring(String text) {
        BitSet occurring = new BitSet();
        for (int at = 0; at < text.length(); at++) {
            if (!firstChars.get(text.charAt(at))) {
                continue;
            }
            int node = 0;
            for (int i = at; i < text.length(); i++) {
                int slot = trie.find(node, text.charAt(i));
                if (slot == PairTable.ABSENT) {
                    break;
                }
                node = trie.first(slot);
                if (ends[node] >= 0) {
                    occurring.set(ends[node]);
                }
            }
        }
        return occurring;
    }

    private static List<Part> cut(String text, List<Part> parts, String special, int id) {
        List<Part> result = new ArrayList<>();
        for (Part part : parts) {
            int start = part.start();
            if (part.token() == Part.TEXT) {
                int found;
                while ((found = text.indexOf(special, start, part.end())) >= 0) {
                    if (found > start) {
                        result.add(new Part(start, found, Part.TEXT));
                    }
                    start = found + special.length();
                    result.add(new Part(found, start, id));
                }
            }
            if (start < part.end()) {
                result.add(start == part.start() ? part : new Part(start, part.end(), Part.TEXT));
            }
        }
        return result;
    }
}
