// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.samples.train;

import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import org.lyapunov4j.dl4j.metrics.MetricsServer;
import org.lyapunov4j.samples.cli.Console;
import org.lyapunov4j.samples.cli.DefaultSeed;
import org.lyapunov4j.samples.cli.Input;
import org.lyapunov4j.samples.cli.Interruption;
import org.lyapunov4j.samples.cli.SamplingConverter;
import org.lyapunov4j.samples.data.DataSource;
import org.lyapunov4j.samples.data.Examples;
import org.lyapunov4j.samples.data.Targets;
import org.lyapunov4j.samples.io.OutputFile;
import org.lyapunov4j.samples.model.NativeThreads;
import org.lyapunov4j.stability.Tier;
import org.lyapunov4j.step.MiniBatchSampling;
import org.lyapunov4j.step.RandomStream;
import org.lyapunov4j.step.SgdStep;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Trains a network on real data and watches its stability. */
@Command(
    name = "train",
    mixinStandardHelpOptions = true,
    showDefaultValues = true,
    description = {
      "Trains a fully connected network and watches the stability of SGD while it trains.",
      "Without options: mini-batches of 1 on handwritten digits, where SGD gets to its edge.",
      "Ctrl-C ends the run early and keeps what was measured."
    })
public final class TrainCommand implements Callable<Integer> {
  /** Half a gigabyte each for parameters, gradients and the copies of the listener. */
  private static final int MOST_PARAMETERS = 1 << 26;

  enum Loss {
    MSE(LossFunction.MSE),
    L2(LossFunction.L2);

    final LossFunction function;

    Loss(LossFunction function) {
      this.function = function;
    }
  }

  @Option(names = "--data", defaultValue = "digits", description = DataSource.SYNTAX + ".")
  private String data;

  @Option(
      names = "--examples",
      paramLabel = "N",
      description = "Training examples; by default 30, 20 for chebyshev.")
  private Integer examples;

  @Option(
      names = "--targets",
      defaultValue = "one-hot",
      description = "one-hot, or scalar: one output, the class number mapped to -1..1.")
  private String targets;

  @Option(
      names = "--hidden",
      split = ",",
      defaultValue = "32,32,32,32",
      paramLabel = "WIDTH",
      description = "Widths of the hidden layers.")
  private List<Integer> hidden;

  @Option(
      names = "--activation",
      defaultValue = "gelu",
      description = "Of the hidden layers, any of Deeplearning4j's: ${COMPLETION-CANDIDATES}.")
  private Activation activation;

  @Option(
      names = "--loss",
      defaultValue = "mse",
      description = "mse (mean of squares over the outputs) or l2 (sum of squares).")
  private Loss loss;

  @Option(names = "--precision", defaultValue = "double", description = "double or float.")
  private DataType precision;

  @Option(
      names = "--learning-rate",
      defaultValue = "0.5",
      paramLabel = "ETA",
      description = "Learning rate of plain SGD.")
  private double learningRate;

  @Option(
      names = "--batch-size",
      defaultValue = "1",
      paramLabel = "B",
      description = "Examples in a mini-batch; all of them is gradient descent.")
  private int batchSize;

  @Option(
      names = "--sampling",
      defaultValue = "iid",
      converter = SamplingConverter.class,
      paramLabel = "SCHEME",
      description =
          "How mini-batches are drawn, for training and analysis alike: "
              + SamplingConverter.SCHEMES
              + ".")
  private MiniBatchSampling sampling;

  @Option(
      names = "--iterations",
      paramLabel = "STEPS",
      description = "Training steps; by default 3000.")
  private Integer iterations;

  @Option(
      names = "--epochs",
      description = "Training steps in epochs of N/B steps, instead of --iterations.")
  private Integer epochs;

  @Option(
      names = "--interval",
      paramLabel = "STEPS",
      description = "Steps between checkpoints; by default a fortieth of the run.")
  private Integer interval;

  @Option(
      names = "--seed",
      defaultValue = DefaultSeed.OPTION,
      paramLabel = "SEED",
      description = "Fixes examples, initial parameters, mini-batches and estimates.")
  private long seed;

  @Option(
      names = "--tier",
      defaultValue = "standard",
      description =
          "What is asked: economy (is the step surely below the edge? η/η_ms, λ, sharpness), standard"
              + " (how far is it from the edge? also η/η_c), full (what would help? also the critical"
              + " batch size and the sum of exponents).")
  private Tier tier;

  @Option(
      names = "--threads",
      defaultValue = "1",
      description = "Native threads of ND4J; more than one only helps wide networks.")
  private int threads;

  @Option(
      names = "--metrics-port",
      paramLabel = "PORT",
      description = "Serve /metrics for Prometheus on the loopback interface; 0 for a free port.")
  private Integer metricsPort;

  @Option(
      names = "--metrics-host",
      paramLabel = "ADDRESS",
      description =
          "Serve on this interface instead of the loopback one; whoever can reach it can read.")
  private String metricsHost;

  @Option(names = "--keep-serving", description = "Serve /metrics after the run too, until Ctrl-C.")
  private boolean keepServing;

  @Mixin private Publication publication;

  @Option(
      names = "--run",
      defaultValue = "train",
      paramLabel = "NAME",
      description = "Names the run in metrics, records and reports.")
  private String name;

  @Option(
      names = "--out",
      paramLabel = "FILE.jsonl",
      description = "Write every record as a line of JSON, as soon as it exists.")
  private Path out;

  @Option(
      names = "--overwrite",
      description = "Replace the record of another run in the file of --out.")
  private boolean overwrite;

  @Option(names = "--plot", paramLabel = "FILE.png", description = "Draw the run.")
  private Path plot;

  @Spec private CommandSpec spec;

  /** The command. */
  public TrainCommand() {}

  @Override
  public Integer call() throws IOException {
    DataSource source = Input.accept(spec, () -> DataSource.parse(data));
    Examples chosen = Input.accept(spec, () -> load(source));
    TrainSettings settings = Input.accept(spec, () -> settings(chosen.size()));
    NativeThreads.limit(threads);
    PrintWriter terminal = spec.commandLine().getOut();
    List<RunObserver> observers = new ArrayList<>();
    observers.add(new TerminalDisplay(terminal, Console.isTerminal(), System::nanoTime));
    PrometheusMeterRegistry registry = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
    try (Interruption interruption = new Interruption();
        MetricsServer metrics = startMetrics(registry, terminal)) {
      Input.accept(spec, this::requireFiles);
      Input.accept(spec, publication::requireAddresses);
      if (plot != null) {
        observers.add(new RunPlot(plot));
      }
      try (Publication.Registries registries = publication.registries(registry);
          WatchedRun run =
              Input.accept(
                  spec,
                  () ->
                      new WatchedRun(
                          name, settings, source, chosen, registries.all(), out, observers))) {
        RunEnd end = run.run(interruption::requested);
        publish(registries, run, terminal);
        printFiles(terminal);
        if (metrics != null && keepServing) {
          terminal.printf("serving %s until Ctrl-C%n", metrics.uri());
          terminal.flush();
          interruption.await();
        }
        return end.reason() == RunEnd.Reason.INTERRUPTED ? Interruption.STATUS : 0;
      }
    }
  }

  /** The run is over; an address that does not answer must not look like a failed run. */
  private void publish(Publication.Registries registries, WatchedRun run, PrintWriter terminal) {
    try {
      publication.publish(registries, name, run.checkpoints());
    } catch (IOException | UncheckedIOException e) {
      terminal.printf("could not publish the metrics: %s%n", e.getMessage());
    }
  }

  private Examples load(DataSource source) throws IOException {
    int count = examples == null ? source.usualCount() : examples;
    Input.require(
        count >= 1,
        "--examples must be at least 1, got %d; leave it out for the usual number",
        count);
    return source.load(count, target(), new RandomStream(seed).split(TrainingRun.EXAMPLES));
  }

  private Targets target() {
    return switch (targets) {
      case "one-hot" -> Targets.ONE_HOT;
      case "scalar" -> Targets.SCALAR;
      default ->
          throw new IllegalArgumentException(
              "--targets must be one-hot or scalar, got '" + targets + "'");
    };
  }

  private TrainSettings settings(int count) {
    Input.require(
        batchSize >= 1 && batchSize <= count,
        "--batch-size must be 1 to the number of examples %d, got %d; lower it or raise --examples",
        count,
        batchSize);
    Input.require(
        learningRate > 0 && Double.isFinite(learningRate),
        "--learning-rate must be positive and finite, got %s; try 0.5",
        learningRate);
    for (int width : hidden) {
      Input.require(width >= 1, "--hidden must be widths of at least 1, got %d; try 32,32", width);
    }
    Input.require(
        precision == DataType.DOUBLE || precision == DataType.FLOAT,
        "--precision must be double or float, got %s",
        precision);
    Input.require(threads >= 1, "--threads must be at least 1, got %d; try 1", threads);
    Input.require(
        DenseNetwork.hiddenParameters(hidden) <= MOST_PARAMETERS,
        "--hidden must give at most %d parameters, got %s; use narrower layers",
        MOST_PARAMETERS,
        hidden);
    int steps = steps(count);
    int every = interval == null ? Math.max(1, steps / 40) : interval;
    Input.require(every >= 1, "--interval must be at least 1, got %d; try 50", every);
    return new TrainSettings(
        new DenseNetwork(hidden, activation, loss.function, precision),
        SgdStep.of(learningRate, batchSize).withSampling(sampling),
        steps,
        every,
        tier,
        seed);
  }

  private int steps(int count) {
    Input.require(
        iterations == null || epochs == null,
        "--iterations and --epochs must not come together, got %s and %s; leave one out",
        iterations,
        epochs);
    if (epochs != null) {
      long steps = (long) epochs * ((count + batchSize - 1) / batchSize);
      Input.require(
          epochs >= 1 && steps <= Integer.MAX_VALUE,
          "--epochs must be at least 1 and give at most 2^31 - 1 steps, got %d; try 100",
          epochs);
      return (int) steps;
    }
    int steps = iterations == null ? 3000 : iterations;
    Input.require(steps >= 1, "--iterations must be at least 1, got %d; try 3000", steps);
    return steps;
  }

  private MetricsServer startMetrics(PrometheusMeterRegistry registry, PrintWriter terminal)
      throws IOException {
    Input.accept(spec, this::requirePort);
    if (metricsPort == null) {
      return null;
    }
    MetricsServer server = Input.accept(spec, () -> serve(registry));
    terminal.printf("metrics  %s%n", server.uri());
    return server;
  }

  private MetricsServer serve(PrometheusMeterRegistry registry) throws IOException {
    return metricsHost == null
        ? MetricsServer.loopback(registry, metricsPort)
        : MetricsServer.exposed(registry, metricsHost, metricsPort);
  }

  private Void requirePort() {
    Input.require(
        metricsHost == null || metricsPort != null,
        "--metrics-host must come with --metrics-port, got none; add --metrics-port 0");
    Input.require(
        !keepServing || metricsPort != null,
        "--keep-serving must come with --metrics-port, got none; add --metrics-port 0");
    Input.require(
        metricsPort == null || (metricsPort >= 0 && metricsPort <= 65535),
        "--metrics-port must be 0 to 65535, got %d; 0 takes a free port",
        metricsPort);
    return null;
  }

  private Void requireFiles() throws IOException {
    OutputFile.require("--plot", plot, ".png");
    OutputFile.requireOwn("--openmetrics", publication.file(), "# TYPE lyapunov_");
    OutputFile.requireNewRecord("--out", out, overwrite);
    return null;
  }

  private void printFiles(PrintWriter terminal) {
    if (out != null) {
      terminal.printf("records  %s%n", out);
    }
    if (plot != null) {
      terminal.printf("plot     %s%n", plot);
    }
    terminal.flush();
  }
}
