package dev.tidestream.server.huggingface.tokenizer;

import java.text.Normalizer.Form;
import java.util.Base64;
import java.util.List;

import dev.tidestream.model.tokenizer.TokenizerException;
import dev.tidestream.model.tokenizer.normalizer.CharsMap;
import dev.tidestream.model.tokenizer.normalizer.Normalizer;

/** Reads {@code normalizer}. */
final class NormalizerPart {
    private NormalizerPart() {}

    static List<Normalizer> read(Part part) {
        if (part.isNull()) {
            return List.of();
        }
        return switch (part.type()) {
            case "Sequence" -> part.only("type", "normalizers").at("normalizers").elements().stream()
                    .flatMap(each -> read(each).stream())
                    .toList();
            default -> List.of(one(part));
        };
    }

    private static Normalizer one(Part part) {
        return switch (part.type()) {
            case "NFC" -> new Normalizer.Form(form(part, Form.NFC));
            case "NFD" -> new Normalizer.Form(form(part, Form.NFD));
            case "NFKC" -> new Normalizer.Form(form(part, Form.NFKC));
            case "NFKD" -> new Normalizer.Form(form(part, Form.NFKD));
            case "Lowercase" -> {
                part.only("type");
                yield new Normalizer.Lowercase();
            }
            case "StripAccents" -> {
                part.only("type");
                yield new Normalizer.StripAccents();
            }
            case "Strip" -> {
                part.only("type", "strip_left", "strip_right");
                yield new Normalizer.Strip(part.bool("strip_left", true), part.bool("strip_right", true));
            }
            case "Prepend" -> new Normalizer.Prepend(part.only("type", "prepend").text("prepend"));
            case "Replace" -> replace(part.only("type", "pattern", "content"));
            case "Precompiled" -> new Normalizer.Precompiled(charsMap(part.only("type", "precompiled_charsmap")));
            default -> throw part.at("type").refusal();
        };
    }

    private static Form form(Part part, Form form) {
        part.only("type");
        return form;
    }

    private static Normalizer replace(Part part) {
        Part pattern = part.at("pattern").only("String", "Regex");
        String content = part.text("content");
        return pattern.findText("String")
                .<Normalizer>map(text -> new Normalizer.ReplaceText(text, content))
                .orElseGet(() -> new Normalizer.Replace(PatternPart.read(pattern), content));
    }

    private static CharsMap charsMap(Part part) {
        try {
            return CharsMap.of(Base64.getDecoder().decode(part.text("precompiled_charsmap")));
        } catch (IllegalArgumentException e) {
            throw new TokenizerException("%s: %s".formatted(part.place(), e.getMessage()));
        }
    }
}
