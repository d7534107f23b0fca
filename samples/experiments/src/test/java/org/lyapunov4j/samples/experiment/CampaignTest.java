// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.samples.experiment;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.lyapunov4j.samples.cli.Progress;

class CampaignTest {
  @TempDir private Path place;

  private final AtomicInteger executions = new AtomicInteger();
  private final AtomicBoolean stop = new AtomicBoolean();
  private ResultFolder folder;

  @BeforeEach
  void folder() throws IOException {
    folder = new ResultFolder(place.resolve("new").resolve("results"));
  }

  private record Counting(String id, Map<String, String> settings, Runnable work) implements Run {
    @Override
    public Measurements execute(Path record, Path state, BooleanSupplier stop) {
      assertThat(record).doesNotExist();
      work.run();
      return new Measurements(
          Map.of("number", 0.1, "none", Double.NaN, "much", Double.POSITIVE_INFINITY),
          Map.of("curve", new double[] {1, Double.NaN, Double.NEGATIVE_INFINITY}));
    }
  }

  private Run run(String id, String setting) {
    return new Counting(id, Map.of("setting", setting), executions::incrementAndGet);
  }

  private List<String> execute(int jobs, List<Run> runs) throws IOException {
    Campaign campaign = new Campaign(folder, jobs, stop::get);
    PrintWriter out = new PrintWriter(new StringWriter());
    try (Progress progress = new Progress(out, false, "runs", runs.size())) {
      return campaign.execute(campaign.pending(runs), progress);
    }
  }

  private List<RunResult> results(List<Run> runs) throws IOException {
    return new Campaign(folder, 1, stop::get).results(runs);
  }

  @Test
  void everyNumberSurvivesAsItIs() throws IOException {
    List<Run> runs = List.of(run("a", "x"));
    assertThat(execute(1, runs)).isEmpty();
    RunResult result = results(runs).get(0);
    assertThat(result.id()).isEqualTo("a");
    assertThat(result.settings()).isEqualTo(Map.of("setting", "x"));
    assertThat(result.value("number")).isEqualTo(0.1);
    assertThat(result.value("none")).isNaN();
    assertThat(result.value("absent")).isNaN();
    assertThat(result.value("much")).isEqualTo(Double.POSITIVE_INFINITY);
    assertThat(result.curve("curve")).containsExactly(1, Double.NaN, Double.NEGATIVE_INFINITY);
    assertThat(result.curve("absent")).isEmpty();
    assertThat(result.seconds()).isNotNegative();
  }

  @Test
  void whatIsThereIsNotRepeatedUnlessItsSettingsChanged() throws IOException {
    List<Run> both = List.of(run("a", "x"), run("b", "x"));
    assertThat(execute(2, both)).isEmpty();
    assertThat(execute(2, both)).isEmpty();
    assertThat(executions).hasValue(2);
    List<Run> changed = List.of(run("a", "y"), run("b", "x"));
    assertThat(results(changed)).extracting(RunResult::id).containsExactly("b");
    assertThat(execute(1, changed)).isEmpty();
    assertThat(executions).hasValue(3);
    assertThat(results(changed)).extracting(RunResult::id).containsExactly("a", "b");
  }

  @Test
  void aDamagedResultIsNoResult() throws IOException {
    List<Run> runs = List.of(run("a", "x"));
    assertThat(execute(1, runs)).isEmpty();
    Path file = place.resolve("new/results/runs/a.json");
    Files.writeString(file, Files.readString(file).substring(0, 20));
    assertThat(results(runs)).isEmpty();
    assertThat(execute(1, runs)).isEmpty();
    assertThat(executions).hasValue(2);
  }

  @Test
  void aRunThatFailsIsNamedAndTheOthersGoOn() throws IOException {
    Run broken =
        new Counting(
            "broken",
            Map.of(),
            () -> {
              throw new IllegalStateException("no luck");
            });
    List<Run> runs = List.of(run("a", "x"), broken, run("b", "x"));
    assertThat(execute(1, runs)).singleElement().asString().contains("broken", "no luck");
    assertThat(results(runs)).extracting(RunResult::id).containsExactly("a", "b");
  }

  @Test
  void whatIsInterruptedIsNotKept() throws IOException {
    List<Run> runs = new ArrayList<>();
    runs.add(run("a", "x"));
    runs.add(new Counting("cut", Map.of(), () -> stop.set(true)));
    IntStream.range(0, 3).forEach(i -> runs.add(run("later" + i, "x")));
    assertThat(execute(1, runs)).isEmpty();
    assertThat(executions).hasValue(1);
    assertThat(results(runs)).extracting(RunResult::id).containsExactly("a");
  }
}
