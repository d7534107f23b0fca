// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.spark;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.scheduler.SparkListener;
import org.apache.spark.scheduler.SparkListenerTaskEnd;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.lyapunov4j.dl4j.StabilityAnalysis;
import org.lyapunov4j.gram.GramMatrix;
import org.lyapunov4j.stability.Tier;
import org.lyapunov4j.step.SgdStep;
import org.nd4j.linalg.dataset.DataSet;

/**
 * Prints what {@code analyze} over a folder of models and a what-if grid take with one and with two
 * executors of one core on this machine, each first on executors that have just started and then
 * again: seconds by the clock; processor seconds of the driver, of all executors, of all tasks and
 * of the longest; and the seconds that
 *
 * <pre>
 *   driver + (executors − tasks)/n + max(tasks/k, longest)
 * </pre>
 *
 * <p>predicts from n executors for k on free cores: what an executor does beside its tasks, it does
 * once, most of it the compilation of fresh code. No test, but run as one, by name:
 *
 * <pre>
 *   mvn -Pprograms -pl dl4j-listener/spark -am test -Dtest=ScalingTable
 *     -Dsurefire.failIfNoSpecifiedTests=false
 * </pre>
 */
@Tag("programs")
class ScalingTable {
  private static final int MODELS = 16;
  private static final int EXAMPLES = 600;
  private static final int INPUTS = 20;
  private static final int HIDDEN = 64;
  private static final List<Double> RATES = List.of(0.01, 0.03, 0.1, 0.3);
  private static final List<Integer> BATCHES = List.of(1, 2, 4, 8, 16, 32, 64, 128);
  private static final int[] MORE = {1, 2, 4, 8, 16};

  /** A job. */
  private interface Question {
    SparkResults<?> ask(SparkStability stability) throws IOException;
  }

  /** What a run of it took; all but the first in seconds of the processor. */
  private record Cost(double wall, double driver, double executors, double tasks, double longest) {
    double predicted(int measured, int more) {
      return driver + (executors - tasks) / measured + Math.max(tasks / more, longest);
    }
  }

  @Test
  @Timeout(value = 1, unit = TimeUnit.HOURS)
  void print(@TempDir Path folder) throws IOException, InterruptedException {
    DataSet data = Runs.data(EXAMPLES, INPUTS, 5);
    Runs.save(folder.resolve("models"), Runs.network(INPUTS, HIDDEN, 1), data, MODELS);
    GramMatrix gram = StabilityAnalysis.of(Runs.network(INPUTS, HIDDEN, 1), data).gram().gram();
    String models = folder.resolve("models").toString();
    for (int executors = 1; executors <= 2; executors++) {
      String master = "local-cluster[" + executors + ",1,1024]";
      Question analyze = spark -> spark.analyze(List.of(models), data.toMultiDataSet());
      Question grid = spark -> spark.whatIf(gram, SgdStep.of(0, 1), RATES, BATCHES);
      run(folder, master, executors, "analyze, " + MODELS + " models", analyze);
      run(folder, master, executors, "what-if, " + BATCHES.size() + " batch sizes", grid);
    }
  }

  private static void run(Path folder, String master, int executors, String name, Question question)
      throws IOException, InterruptedException {
    try (Cluster cluster = new Cluster(folder.resolve("spark"));
        JavaSparkContext spark = new JavaSparkContext(cluster.configuration(master))) {
      while (Cluster.executors().size() < executors) {
        Thread.sleep(10);
      }
      List<Double> tasks = Collections.synchronizedList(new ArrayList<>());
      spark
          .sc()
          .addSparkListener(
              new SparkListener() {
                @Override
                public void onTaskEnd(SparkListenerTaskEnd end) {
                  tasks.add(1e-9 * end.taskMetrics().executorCpuTime());
                }
              });
      for (String state : List.of("fresh", "again")) {
        print(name, state, executors, cost(spark, tasks, question));
      }
    }
  }

  private static Cost cost(JavaSparkContext spark, List<Double> tasks, Question question)
      throws IOException, InterruptedException {
    tasks.clear();
    double before = processor(Cluster.executors().stream());
    double driver = processor(Stream.of(ProcessHandle.current()));
    long start = System.nanoTime();
    SparkStability stability =
        SparkStability.on(spark).batchSize(Runs.BATCH).tier(Tier.STANDARD).seed(3);
    SparkResults<?> results = question.ask(stability);
    double wall = 1e-9 * (System.nanoTime() - start);
    if (!results.complete() || !results.refused().isEmpty()) {
      throw new IllegalStateException("refused: " + results.refused());
    }
    Thread.sleep(1000); // listeners hear of the last tasks a little later
    List<Double> times = List.copyOf(tasks);
    return new Cost(
        wall,
        processor(Stream.of(ProcessHandle.current())) - driver,
        processor(Cluster.executors().stream()) - before,
        times.stream().mapToDouble(time -> time).sum(),
        times.stream().mapToDouble(time -> time).max().orElseThrow());
  }

  private static double processor(Stream<ProcessHandle> processes) {
    return processes
        .map(process -> process.info().totalCpuDuration().orElse(Duration.ZERO))
        .mapToDouble(time -> 1e-9 * time.toNanos())
        .sum();
  }

  private static void print(String name, String state, int executors, Cost cost) {
    StringBuilder more = new StringBuilder();
    for (int n : MORE) {
      more.append(String.format(Locale.ROOT, " %.1f |", cost.predicted(executors, n)));
    }
    System.out.println(
        String.format(
            Locale.ROOT,
            "| %s | %s | %d | %.1f | %.1f | %.1f | %.1f | %.2f |%s",
            name,
            state,
            executors,
            cost.wall,
            cost.driver,
            cost.executors,
            cost.tasks,
            cost.longest,
            more));
  }
}
