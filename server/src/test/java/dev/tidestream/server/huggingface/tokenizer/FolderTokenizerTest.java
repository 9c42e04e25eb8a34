package dev.tidestream.server.huggingface.tokenizer;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import dev.tidestream.model.tokenizer.Tokenizer;
import dev.tidestream.model.tokenizer.TokenizerException;
import dev.tidestream.model.tokenizer.Tokenizers;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** Small folders: what is refused and in which words, and whose word counts. */
class FolderTokenizerTest {
    private static final String MODEL = "'model':{'type':'BPE','vocab':{'a':0,'b':1,'ab':2},'merges':['a b']}";
    private static final String DECODER = "'decoder':{'type':'Fuse'}";
    private static final String ADDED = "'added_tokens':[{'id':3,'content':'<s>','special':true,'normalized':false},"
            + "{'id':4,'content':'</s>','special':true,'normalized':false},{'id':5,'content':'<|x|>','special':false,'normalized':false}]";

    @TempDir
    private Path folder;

    @ParameterizedTest
    @CsvSource(delimiter = '~', quoteCharacter = '`', value = {
        "{MODEL,DECODER,'normaliser':null}~normaliser: not understood: null",
        "{MODEL,'decoder':null}~decoder: not understood: null",
        "{MODEL,DECODER,'normalizer':{'type':'Nmt'}}~normalizer.type: not understood: \"Nmt\"",
        "{MODEL,DECODER,'normalizer':{'type':'NFC','x':1}}~normalizer.x: not understood: 1",
        "{MODEL,DECODER,'pre_tokenizer':{'type':'BertPreTokenizer'}}~pre_tokenizer.type: not understood: \"BertPreTokenizer\"",
        "{MODEL,DECODER,'pre_tokenizer':{'type':'Split','pattern':{'Regex':'(?>a)'},'behavior':'Isolated','invert':false}}"
                + "~pre_tokenizer.pattern.Regex: regular expression not understood: this kind of group is not understood, at=2, expression='(?>a)'",
        "{MODEL,DECODER,'post_processor':{'type':'Other'}}~post_processor.type: not understood: \"Other\"",
        "{MODEL,'decoder':{'type':'WordPiece'}}~decoder.type: not understood: \"WordPiece\"",
        "{DECODER,'model':{'type':'WordPiece','vocab':{'a':0}}}~model.type: not understood: \"WordPiece\"",
        "{DECODER,'model':{'type':'BPE','dropout':0.1,'vocab':{'a':0},'merges':[]}}~model.dropout: not understood: 0.1",
        "{DECODER,'model':{'type':'BPE','vocab':{'a':0},'merges':['a b']}}"
                + "~model.merges[0]: not a token of the vocabulary: 'b', merge='a b'",
        "{DECODER,'model':{'type':'BPE','vocab':{'a':0,'b':0},'merges':[]}}~vocabulary: two tokens with one id: id=0, texts='a' and 'b'",
        "{DECODER}~model: missing"
    })
    void shouldRefuseByKeyAndValue(String json, String message) throws IOException {
        write("tokenizer.json", json.replace("MODEL", MODEL).replace("DECODER", DECODER));
        String refusal = String.valueOf(assertThrows(TokenizerException.class, () -> FolderTokenizer.read(folder)).getMessage());
        assertTrue(refusal.startsWith(folder.toString()) && refusal.endsWith(" " + message), refusal);
    }

    @Test
    void shouldNameWhatAFolderNeeds() {
        assertEquals(folder + ": no tokenizer: expected tokenizer.json, tokenizer.model, or vocab.json and merges.txt",
                assertThrows(TokenizerException.class, () -> FolderTokenizer.read(folder)).getMessage());
    }

    @Test
    void shouldPutBosInFrontWhereTheConfigurationSaysSo() throws IOException {
        write("tokenizer.json", "{" + MODEL + "," + DECODER + "," + ADDED + "}");
        write("tokenizer_config.json", "{'bos_token':'<s>','eos_token':{'content':'</s>'},'add_bos_token':true,'add_eos_token':true}");
        write("generation_config.json", "{'eos_token_id':[4,5,99]}");
        Tokenizer tokenizer = tokenizer();
        assertArrayEquals(new int[] {3, 2, 4}, tokenizer.encode("ab", true, false));
        assertArrayEquals(new int[] {3, 2}, tokenizer.encodePrompt("ab", false), "nothing follows an end");
        assertArrayEquals(new int[] {3, 2}, tokenizer.encodePrompt("<s>ab", true));
        assertTrue(tokenizer.isEndOfGeneration(4) && tokenizer.isEndOfGeneration(5));
        assertEquals("<s>", tokenizer.tokenText(3));
    }

    @Test
    void shouldTakeWhatLooksLikeAControlTokenForOne() throws IOException {
        write("tokenizer.json", "{" + MODEL + "," + DECODER + "," + ADDED + "}");
        assertArrayEquals(new int[] {0, 5}, tokenizer().encode("a<|x|>", false, true));
        assertArrayEquals(new int[] {0}, tokenizer().encode("a<|x|>", false, false), "characters without a token are left out");
    }

    private Tokenizer tokenizer() throws IOException {
        return Tokenizers.of(FolderTokenizer.read(folder));
    }

    private void write(String name, String json) throws IOException {
        Files.writeString(folder.resolve(name), json.replace('\'', '"'));
    }
}
