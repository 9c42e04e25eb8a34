package dev.tidestream.model.tokenizer;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.PriorityQueue;
import java.util.function.UnaryOperator;

/**
 * Cuts a text at the tokens that are written in it as they are: user-defined ones always, control ones when asked for. As in
 * llama.cpp the longest token is cut out first, wherever it stands, then the next longest from what is left; or, as in Hugging Face's
 * tokenizers, they are found from left to right, the longest at each place.
 *
 * <p>A vocabulary may have thousands of them, and so may a text: one pass over the text with a trie finds all places of all of them.
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
    private final boolean leftmost;
    private final TokenizerSpec.AddedToken[] rules; // of texts

    /**
     * @param normalized those that are looked for in the normalised text; otherwise all others
     * @param spelling of a token in the text that is searched
     */
    SpecialTokens(
            Vocabulary vocabulary, TokenizerSpec.Preparation preparation, boolean normalized, UnaryOperator<String> spelling) {
        List<Integer> found = new ArrayList<>();
        Map<Integer, String> spelled = new HashMap<>();
        for (int id = 0; id < vocabulary.size(); id++) {
            TokenType type = vocabulary.type(id);
            if ((type.isSpecial() || type == TokenType.USER_DEFINED) && rule(preparation, id).normalized() == normalized) {
                String text = spelling.apply(vocabulary.text(id));
                if (!text.isEmpty()) {
                    found.add(id);
                    spelled.put(id, text);
                }
            }
        }
        leftmost = preparation.leftmostTokens();
        found.sort(Comparator.comparingInt((Integer id) -> -Utf8.length(spelled.getOrDefault(id, ""))));
        int count = found.size();
        texts = new String[count];
        ids = new int[count];
        control = new boolean[count];
        rules = new TokenizerSpec.AddedToken[count];
        long chars = spelled.values().stream().mapToLong(String::length).sum();
        trie = new PairTable(chars);
        ends = new int[Math.toIntExact(chars + 1)];
        Arrays.fill(ends, -1);
        int nodes = 1;
        for (int i = 0; i < count; i++) {
            ids[i] = found.get(i);
            texts[i] = spelled.getOrDefault(ids[i], "");
            rules[i] = rule(preparation, ids[i]);
            control[i] = vocabulary.type(ids[i]).isSpecial();
            nodes = plant(i, nodes);
        }
    }

    private static TokenizerSpec.AddedToken rule(TokenizerSpec.Preparation preparation, int id) {
        return preparation.addedTokens().getOrDefault(id, TokenizerSpec.AddedToken.PLAIN);
    }

    boolean isEmpty() {
        return ids.length == 0;
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

    /**
     * Cuts the text into parts, in order, none of them empty.
     *
     * @param places where control tokens are cut out
     */
    List<Part> split(String text, ControlPlaces places) {
        if (leftmost) {
            return splitLeftmost(text, places);
        }
        return splitLongest(text, places);
    }

    /** Longest first, then from left to right: what does not touch one that was there before. */
    private List<Part> splitLongest(String text, ControlPlaces places) {
        boolean[] taken = new boolean[text.length()];
        List<Part> tokens = new ArrayList<>();
        PriorityQueue<Long> open = new PriorityQueue<>(); // index << 32 | start: at most one for each place
        for (int at = 0; at < text.length(); at++) {
            offer(open, text, at, text.length());
        }
        for (Long found = open.poll(); found != null; found = open.poll()) {
            int index = (int) (found >>> Integer.SIZE);
            int start = found.intValue();
            int end = start + texts[index].length();
            if (taken[start]) {
                continue;
            }
            if (!(control[index] && !places.allow(start, end)) && isFree(taken, start, end)) {
                Arrays.fill(taken, start, end, true);
                tokens.add(new Part(start, end, ids[index]));
            } else {
                offer(open, text, start, end - 1); // which is later in turn than all that are longer
            }
        }
        tokens.sort(Comparator.comparingInt(Part::start));
        List<Part> parts = new ArrayList<>();
        int done = 0;
        for (Part token : tokens) {
            if (token.start() > done) {
                parts.add(new Part(done, token.start(), Part.TEXT));
            }
            parts.add(token);
            done = token.end();
        }
        if (done < text.length()) {
            parts.add(new Part(done, text.length(), Part.TEXT));
        }
        return parts;
    }

    private static boolean isFree(boolean[] taken, int start, int end) {
        for (int i = start; i < end; i++) {
            if (taken[i]) {
                return false;
            }
        }
        return true;
    }

    /** Puts the longest text in that begins at a place and ends at {@code last} or before it, if there is one. */
    private void offer(PriorityQueue<Long> open, String text, int at, int last) {
        int longest = -1;
        int node = 0;
        for (int i = at; i < last && (i > at || firstChars.get(text.charAt(at))); i++) {
            int slot = trie.find(node, text.charAt(i));
            if (slot == PairTable.ABSENT) {
                break;
            }
            node = trie.first(slot);
            longest = ends[node] >= 0 ? ends[node] : longest;
        }
        if (longest >= 0) {
            open.add(((long) longest << Integer.SIZE) | at);
        }
    }

    /**
     * What is found but not asked for is text as a whole: nothing is looked for within. Of one that stands across the begin of a place
     * that is asked for, this goes for what is in front of that.
     */
    private List<Part> splitLeftmost(String text, ControlPlaces places) {
        List<Part> parts = new ArrayList<>();
        int done = 0;
        int at = 0;
        while (at < text.length()) {
            int index = firstChars.get(text.charAt(at)) ? longestAt(text, at, places) : -1;
            if (index < 0) {
                at++;
                continue;
            }
            int start = at;
            int end = at + texts[index].length();
            if (control[index] && !places.allow(start, end)) {
                at = endOfForbidden(start, end, places);
                continue;
            }
            at = end;
            if (rules[index].singleWord() && !standsAlone(text, start, end)) {
                continue;
            }
            while (rules[index].lstrip() && start > done && isSpace(text.codePointBefore(start))) {
                start--;
            }
            while (rules[index].rstrip() && end < text.length() && isSpace(text.codePointAt(end))) {
                end++;
            }
            if (start > done) {
                parts.add(new Part(done, start, Part.TEXT));
            }
            parts.add(new Part(start, end, ids[index]));
            done = end;
        }
        if (done < text.length()) {
            parts.add(new Part(done, text.length(), Part.TEXT));
        }
        return parts;
    }

    /** Index of the longest text that begins here, or -1. One that is asked for is not lost because foreign text makes it longer. */
    private int longestAt(String text, int at, ControlPlaces places) {
        int longest = -1;
        int node = 0;
        for (int i = at; i < text.length(); i++) {
            int slot = trie.find(node, text.charAt(i));
            if (slot == PairTable.ABSENT) {
                break;
            }
            node = trie.first(slot);
            if (ends[node] >= 0 && !(longest >= 0 && isLengthened(longest, ends[node], at, places))) {
                longest = ends[node];
            }
        }
        return longest;
    }

    /** Whether one of the two is a control token, the shorter one is asked for and the longer one is not. */
    private boolean isLengthened(int shorter, int longer, int at, ControlPlaces places) {
        return (control[shorter] || control[longer])
                && places.allow(at, at + texts[shorter].length()) && !places.allow(at, at + texts[longer].length());
    }

    /** Where control tokens may begin again, at most {@code end}. */
    private static int endOfForbidden(int start, int end, ControlPlaces places) {
        int at = start + 1;
        while (at < end && !places.allow(at, at + 1)) {
            at++;
        }
        return at;
    }

    private static boolean standsAlone(String text, int start, int end) {
        return (start == 0 || !isWord(text.codePointBefore(start))) && (end == text.length() || !isWord(text.codePointAt(end)));
    }

    private static boolean isWord(int c) {
        return switch (Character.getType(c)) {
            case Character.NON_SPACING_MARK, Character.COMBINING_SPACING_MARK, Character.ENCLOSING_MARK, Character.DECIMAL_DIGIT_NUMBER,
                    Character.CONNECTOR_PUNCTUATION -> true;
            default -> Character.isAlphabetic(c) || c == 0x200C || c == 0x200D;
        };
    }

    private static boolean isSpace(int c) {
        return (c >= '\t' && c <= '\r') || c == 0x85 || Character.isSpaceChar(c);
    }
}
