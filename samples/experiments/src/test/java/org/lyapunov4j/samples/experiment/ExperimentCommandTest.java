// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.samples.experiment;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.lyapunov4j.dl4j.record.RunRecord;
import org.lyapunov4j.samples.Outcome;
import org.lyapunov4j.samples.cli.Launcher;

class ExperimentCommandTest {
  @TempDir private Path folder;

  private Outcome experiment(String... args) {
    return Outcome.of(Launcher.commandLine(new ExperimentCommand()), args);
  }

  @Test
  void listsTheExperiments() {
    Outcome outcome = experiment();
    assertThat(outcome.status()).isZero();
    assertThat(outcome.out()).contains("evolution", "prediction", "section 2.6");
  }

  @Test
  void explainsItselfAndEveryOption() {
    Outcome outcome = experiment("--help");
    assertThat(outcome.status()).isZero();
    assertThat(outcome.err()).isEmpty();
    assertThat(outcome.out()).startsWith("Usage: experiments ").contains("-h, --help");
    assertThat(Launcher.commandLine(new ExperimentCommand()).getCommandSpec().options())
        .allSatisfy(option -> assertThat(option.description()).isNotEmpty());
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "nothing | the experiment must be one of | got 'nothing'",
        "evolution --seeds=0 | --seeds must be at least 1 | got 0",
        "evolution --jobs=0 | --jobs must be at least 1 | got 0",
        "evolution --length=0 | --length must be positive | got 0.0",
        "evolution --length=NaN | --length must be positive | got NaN",
        "evolution --only=nothing | --only must match a run | got 'nothing'",
        "evolution --data=nowhere | data must be | got 'nowhere'",
      })
  void refusesWhatCannotBeMeant(String arguments, String rule, String value) {
    List<String> args = new ArrayList<>(List.of(arguments.split(" ")));
    args.add("--out=" + folder.resolve("results"));
    Outcome outcome = experiment(args.toArray(String[]::new));
    assertThat(outcome.status()).isEqualTo(2);
    assertThat(outcome.err()).contains(rule, value);
  }

  @Test
  void refusesAFileAsFolder() throws IOException {
    Path file = Files.createFile(folder.resolve("file"));
    Outcome outcome = experiment("evolution", "--out=" + file, "--length=0.001");
    assertThat(outcome.status()).isEqualTo(2);
    assertThat(outcome.err()).contains("--out must be a folder", file.toString());
  }

  @Test
  void keepsRecordsAndResultsAndGoesOn() throws IOException {
    String[] args = {
      "evolution",
      "--out=" + folder,
      "--seeds=1",
      "--length=0.002",
      "--only=K1-iid-B{4,80}-eta0.05-*"
    };
    Outcome first = experiment(args);
    assertThat(first.err()).isEmpty();
    assertThat(first.status()).isZero();
    assertThat(first.out()).contains("2 runs, 2 of them to do", "2 runs, 0 of them diverged");
    Path result = folder.resolve("runs/K1-iid-B4-eta0.05-seed1.json");
    RunRecord record = RunRecord.read(folder.resolve("runs/K1-iid-B4-eta0.05-seed1.jsonl"));
    assertThat(record.checkpoints()).last().satisfies(c -> assertThat(c.iteration()).isEqualTo(9));
    assertThat(folder.resolve("findings.md")).content().contains("| K | mini-batches | B |");
    assertThat(Files.readAllLines(folder.resolve("evolution.csv"))).hasSize(3);
    assertThat(ImageIO.read(folder.resolve("evolution-K1.png").toFile()).getWidth())
        .isEqualTo(1000);

    FileTime written = Files.getLastModifiedTime(result);
    Outcome again = experiment(args);
    assertThat(again.out()).contains("2 runs, 0 of them to do");
    assertThat(Files.getLastModifiedTime(result)).isEqualTo(written);
  }

  @Test
  void destroysNothing() throws IOException {
    Path results = Files.createDirectory(folder.resolve("results"));
    String[] small = {
      "evolution", "--seeds=1", "--length=0.002", "--only=K1-iid-B{4,80}-eta0.05-*"
    };
    String[] args = Arrays.copyOf(small, small.length + 1);
    args[small.length] = "--out=" + results;
    Path page = Files.writeString(results.resolve("findings.md"), "years of work");
    assertThat(refused(args)).contains("--out");
    assertThat(results).isDirectoryContaining(file -> file.equals(page));
    assertThat(page).hasContent("years of work");
    Files.delete(page);
    Path runs = Files.createDirectory(results.resolve("runs"));
    for (String ending : List.of(".jsonl", ".json", ".json.part")) {
      Path foreign =
          Files.writeString(runs.resolve("K1-iid-B80-eta0.05-seed1" + ending), "years of work");
      assertThat(refused(args)).contains(foreign.getFileName().toString());
      assertThat(foreign).hasContent("years of work");
      Files.delete(foreign);
    }
    Path beside = Files.writeString(runs.resolve("notes.txt"), "years of work");
    assertThat(experiment(args).status()).isZero();
    assertThat(beside).hasContent("years of work");
  }

  private String refused(String... args) {
    Outcome outcome = experiment(args);
    assertThat(outcome.err().lines().toList()).as(String.join(" ", args)).hasSize(1);
    assertThat(outcome.status()).as(outcome.err()).isEqualTo(2);
    assertThat(outcome.err().strip().length()).as(outcome.err()).isLessThanOrEqualTo(300);
    assertThat(outcome.err()).doesNotContain("(null)").doesNotContain("Exception");
    return outcome.err();
  }

  /** One seed fixes every number, however many runs go on at a time. */
  @Test
  void aResultDoesNotDependOnWhatRunsBesideIt() throws IOException {
    for (int jobs = 1; jobs <= 2; jobs++) {
      assertThat(
              experiment(
                      "prediction",
                      "--out=" + folder.resolve("jobs" + jobs),
                      "--seeds=1",
                      "--length=0.02",
                      "--jobs=" + jobs,
                      "--only=K1-B{4,40}-*")
                  .status())
          .isZero();
    }
    for (String run : List.of("K1-B4-seed1", "K1-B40-seed1")) {
      assertThat(found(1, run)).isEqualTo(found(2, run)).contains("\"series\"");
    }
  }

  private String found(int jobs, String run) throws IOException {
    return Files.readString(folder.resolve("jobs" + jobs + "/runs/" + run + ".json"))
        .replaceAll("\"seconds\" : .*", "");
  }
}
