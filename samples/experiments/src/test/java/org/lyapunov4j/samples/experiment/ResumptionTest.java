// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.samples.experiment;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.lyapunov4j.dl4j.Schedule;
import org.lyapunov4j.dl4j.record.RunRecord;
import org.lyapunov4j.samples.data.DataSource;
import org.lyapunov4j.samples.data.Targets;
import org.lyapunov4j.samples.experiment.NetworkRun.Plan;
import org.lyapunov4j.samples.train.DenseNetwork;
import org.lyapunov4j.stability.Tier;
import org.lyapunov4j.step.MiniBatchSampling;
import org.lyapunov4j.step.RandomStream;
import org.lyapunov4j.step.SgdStep;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.learning.config.Nesterovs;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

/** A run that is cut short goes on as if it had not been. */
class ResumptionTest {
  private static final int STEPS = 60;

  @TempDir private Path folder;

  private static NetworkRun run() throws IOException {
    DataSet data =
        DataSource.parse("digits")
            .load(12, Targets.SCALAR, new RandomStream(1))
            .toDataSet(DataType.DOUBLE);
    return new NetworkRun(
        "run",
        Map.of("data", "digits"),
        new DenseNetwork(List.of(8), Activation.TANH, LossFunction.MSE, DataType.DOUBLE)
            .configuration(64, 1, new Nesterovs(0.02, 0.9), 1),
        data,
        Cifar.first(data, 6),
        new Plan(
            SgdStep.of(0.02, 5).withSampling(MiniBatchSampling.SHUFFLED_EPOCHS),
            STEPS,
            Tier.STANDARD,
            Schedule.everyIterations(10),
            10,
            true,
            0,
            1));
  }

  private Path file(String name) {
    return folder.resolve(name);
  }

  private Measurements whole() throws IOException {
    return run().execute(file("whole.jsonl"), file("whole.state"), () -> false);
  }

  /** Whether to stop is asked once after every step. */
  private static Measurements interrupted(Run run, Path record, Path state, int after)
      throws IOException {
    AtomicInteger asked = new AtomicInteger();
    return run.execute(record, state, () -> asked.incrementAndGet() >= after);
  }

  private static void requireSame(Measurements one, Measurements other) {
    assertThat(other.values()).isEqualTo(one.values());
    assertThat(other.series().keySet()).isEqualTo(one.series().keySet());
    one.series()
        .forEach((name, curve) -> assertThat(other.curve(name)).as(name).containsExactly(curve));
  }

  @Test
  void everyNumberIsThatOfARunThatWasNotCutShort() throws IOException {
    Measurements whole = whole();
    assertThat(whole.curve("iteration")).hasSize(7);
    Path record = file("cut.jsonl");
    Path state = file("cut.state");
    Measurements first = interrupted(run(), record, state, 23);
    assertThat(first.value("iterations")).isLessThan(STEPS).isGreaterThan(10);
    assertThat(state).isRegularFile();
    Measurements second = interrupted(run(), record, state, 20);
    assertThat(second.value("iterations"))
        .isLessThan(STEPS)
        .isGreaterThan(first.value("iterations"));
    requireSame(whole, run().execute(record, state, () -> false));
    assertThat(RunRecord.read(record).checkpoints()).hasSize(7);
  }

  @Test
  void aRecordThatWentOnAfterTheStateWasKeptDoesNoHarm() throws IOException {
    Measurements whole = whole();
    Path record = file("cut.jsonl");
    Path state = file("cut.state");
    interrupted(run(), record, state, 23);
    byte[] early = Files.readAllBytes(state);
    interrupted(run(), record, state, 20);
    Files.write(state, early); // as if the process had been killed
    requireSame(whole, run().execute(record, state, () -> false));
  }

  private static boolean isRead(Path state, Map<String, String> settings) throws IOException {
    MultiLayerNetwork network = DenseNetwork.initialised(run().configuration());
    INDArray before = network.params().dup();
    boolean isRead = RunState.read(state, settings, network).isPresent();
    assertThat(network.params().equals(before)).isNotEqualTo(isRead);
    return isRead;
  }

  @Test
  void aStateThatIsDamagedOrOfAnotherRunIsNone() throws IOException {
    Measurements whole = whole();
    Path record = file("cut.jsonl");
    Path state = file("cut.state");
    interrupted(run(), record, state, 23);
    assertThat(isRead(state, run().settings())).isTrue();
    assertThat(isRead(state, Map.of("data", "others"))).isFalse();
    byte[] bytes = Files.readAllBytes(state);
    Files.write(state, Arrays.copyOf(bytes, bytes.length / 2));
    assertThat(isRead(state, run().settings())).isFalse();
    requireSame(whole, run().execute(record, state, () -> false));
  }

  /** Its learning rate rises for 300 steps; a quarter of it is done, then nine tenths, then all. */
  @Test
  void aMinimumIsSoughtFurther() throws IOException {
    Run run = MeanSquareTest.SMALL.runs(MeanSquareTest.DIGITS).get(1);
    Measurements whole = run.execute(file("whole.jsonl"), file("whole.state"), () -> false);
    int steps = (int) whole.value("steps");
    Path state = file("cut.state");
    assertThat(interrupted(run, file("cut.jsonl"), state, steps / 4).value("reached")).isZero();
    int more = steps * 9 / 10 - steps / 4;
    assertThat(interrupted(run, file("cut.jsonl"), state, more).value("steps"))
        .isBetween(steps * 0.8, steps * 0.95);
    requireSame(whole, run.execute(file("cut.jsonl"), state, () -> false));
  }

  /** Three moments; it is stopped in the second, and goes on after the first. */
  @Test
  void probesOfLaterMomentsAreStillToBeAnalysed() throws IOException {
    Run run = ProbeSizeTest.SMALL.runs(new Settings(Optional.empty(), 1, 4e-3)).get(1);
    AtomicInteger asked = new AtomicInteger();
    Measurements whole =
        run.execute(file("whole.jsonl"), file("whole.state"), () -> asked.incrementAndGet() < 0);
    assertThat(whole.curve("iteration")).contains(0, 2, 20);
    int all = asked.getAndSet(0);
    Path state = file("cut.state");
    interrupted(run, file("cut.jsonl"), state, all / 2);
    requireSame(whole, run.execute(file("cut.jsonl"), state, () -> asked.incrementAndGet() < 0));
    assertThat(asked.get()).isBetween(all / 3, all * 3 / 4);
  }
}
