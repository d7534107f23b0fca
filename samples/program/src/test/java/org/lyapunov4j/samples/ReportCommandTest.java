// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.samples;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.PrintWriter;
import java.io.StringReader;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.regex.Pattern;
import javax.imageio.ImageIO;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.lyapunov4j.dl4j.checkpoint.CheckpointDocument;
import org.lyapunov4j.dl4j.record.RunRecord;
import org.xml.sax.InputSource;

class ReportCommandTest {
  @TempDir private Path folder;

  private final StringWriter out = new StringWriter();
  private final StringWriter err = new StringWriter();
  private Path slow;

  @BeforeEach
  void train() {
    slow = record("slow <b>", "0.2");
  }

  private Path record(String run, String learningRate) {
    Path file = folder.resolve("run-" + learningRate + ".jsonl");
    int status =
        execute(
            "train",
            "--run=" + run,
            "--examples=12",
            "--hidden=8",
            "--batch-size=4",
            "--iterations=25",
            "--interval=5",
            "--tier=standard",
            "--learning-rate=" + learningRate,
            "--out=" + file);
    assertThat(status).as("%s", err).isZero();
    return file;
  }

  private int execute(String... arguments) {
    return Main.commandLine()
        .setOut(new PrintWriter(out, true))
        .setErr(new PrintWriter(err, true))
        .execute(arguments);
  }

  @Test
  void aRunBecomesOnePageThatNeedsNothingElse() throws Exception {
    Path page = folder.resolve("report.html");

    assertThat(execute("report", slow.toString(), "--out=" + page)).isZero();

    String html = Files.readString(page);
    assertThat(html)
        .contains("SGD, learning rate 0.2, batch size 4", "SHA-256", "What the numbers mean")
        .contains("slow &lt;b&gt;", "step at the start", "step at the end")
        .doesNotContain("slow <b>", "<script", "<link", "<img", "@import")
        .contains("<h2>Edge ratio</h2>", "<h2>Loss</h2>", "<h2>Mean-square index</h2>");
    // Addresses are names of XML namespaces and the source of the theory, never something to load.
    assertThat(Pattern.compile("(src|href)=\"(?!#)").matcher(html).find()).isFalse();
  }

  /** What the pictures do not show is in a table, and what nobody may miss in a list. */
  @Test
  void nothingOfTheLatestCheckpointIsLeftOut() throws Exception {
    Path page = folder.resolve("report.html");
    assertThat(execute("report", slow.toString(), "--out=" + page)).isZero();
    String html = Files.readString(page);
    List<CheckpointDocument> checkpoints = RunRecord.read(slow).checkpoints();
    CheckpointDocument last = checkpoints.get(checkpoints.size() - 1);
    assertThat(last.entries()).hasSizeGreaterThan(40);
    for (CheckpointDocument.Entry entry : last.entries()) {
      assertThat(html).contains("<code>" + entry.key() + "</code>");
    }
    for (CheckpointDocument checkpoint : checkpoints) {
      for (String caution : checkpoint.cautions()) {
        assertThat(html).contains(caution.replace("<", "&lt;").replace(">", "&gt;"));
      }
    }
  }

  @Test
  void runsAreComparedUnderNamesOfTheirOwn() throws Exception {
    Path other = record("slow <b>", "0.4");
    Path page = folder.resolve("report.html");

    assertThat(execute("report", slow.toString(), other.toString(), "--out=" + page)).isZero();

    assertThat(Files.readString(page))
        .contains("2 runs", "slow &lt;b&gt; #2", "learning rate 0.2", "learning rate 0.4");
  }

  @Test
  void picturesAreFilesOfTheirOwn() throws Exception {
    Path page = folder.resolve("report.html");

    execute("report", slow.toString(), "--out=" + page, "--pictures=" + folder.resolve("png"));
    execute(
        "report",
        slow.toString(),
        "--out=" + page,
        "--pictures=" + folder.resolve("svg"),
        "--format=svg");

    assertThat(ImageIO.read(folder.resolve("png/edge-ratio.png").toFile()).getWidth())
        .isEqualTo(860);
    String svg = Files.readString(folder.resolve("svg/exponent.svg"));
    assertThat(
            DocumentBuilderFactory.newInstance()
                .newDocumentBuilder()
                .parse(new InputSource(new StringReader(svg)))
                .getDocumentElement()
                .getTagName())
        .isEqualTo("svg");
  }

  @Test
  void aTornLastLineIsNoTrouble() throws Exception {
    Files.writeString(slow, "{\"type\":\"checkp", StandardOpenOption.APPEND);
    assertThat(execute("report", slow.toString(), "--out=" + folder.resolve("r.html"))).isZero();
  }

  @Test
  void refusesWhatIsNoRecord() throws Exception {
    Path text = Files.writeString(folder.resolve("text.jsonl"), "hello\n");
    Path page = folder.resolve("report.html");

    assertThat(execute("report", text.toString(), "--out=" + page)).isEqualTo(2);
    assertThat(execute("report", "absent.jsonl", "--out=" + page)).isEqualTo(2);
    assertThat(execute("report", slow.toString(), "--out=no/such/folder/r.html")).isEqualTo(2);
    assertThat(execute("report", "--out=" + page)).isEqualTo(2);

    assertThat(err.toString())
        .contains("text.jsonl: must be the record of a run, got something else")
        .contains("absent.jsonl: must be the record of a run, got no such file")
        .contains("--out must be a file in a folder that exists");
    assertThat(page).doesNotExist();
  }
}
