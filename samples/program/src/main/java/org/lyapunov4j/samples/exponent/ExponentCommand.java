// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.samples.exponent;

import java.io.IOException;
import java.io.PrintWriter;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.lyapunov4j.dl4j.checkpoint.CheckpointDocument;
import org.lyapunov4j.dl4j.record.Json;
import org.lyapunov4j.exponent.ExponentBound;
import org.lyapunov4j.exponent.FiniteTimeEstimator;
import org.lyapunov4j.exponent.FiniteTimeExponents;
import org.lyapunov4j.exponent.LyapunovEstimate;
import org.lyapunov4j.exponent.LyapunovExponent;
import org.lyapunov4j.exponent.LyapunovSpectrum;
import org.lyapunov4j.exponent.MomentEstimator;
import org.lyapunov4j.exponent.MomentExponent;
import org.lyapunov4j.exponent.MomentExponents;
import org.lyapunov4j.exponent.Sign;
import org.lyapunov4j.exponent.SpectrumEstimator;
import org.lyapunov4j.gram.GramMatrix;
import org.lyapunov4j.samples.cli.ClassicGauge;
import org.lyapunov4j.samples.cli.DefaultSeed;
import org.lyapunov4j.samples.cli.EdgeRatio;
import org.lyapunov4j.samples.cli.Input;
import org.lyapunov4j.samples.cli.SamplingConverter;
import org.lyapunov4j.samples.gram.GramFile;
import org.lyapunov4j.samples.io.ArrayFile;
import org.lyapunov4j.stability.StabilityAnalyzer;
import org.lyapunov4j.stability.StabilityReport;
import org.lyapunov4j.stability.Tier;
import org.lyapunov4j.step.MiniBatchSampling;
import org.lyapunov4j.step.Momentum;
import org.lyapunov4j.step.SgdStep;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** λ and its companions for a Gram matrix in a NumPy file. */
@Command(
    name = "exponent",
    mixinStandardHelpOptions = true,
    showDefaultValues = true,
    description = {
      "Estimates the Lyapunov exponent of SGD for a Gram matrix in a file of NumPy or CSV.",
      "G[(i,k),(j,l)] = <df_ik/dtheta, df_jl/dtheta>, m x m with m = examples x outputs, example by"
          + " example, for the loss 1/2 |f - y|^2 averaged over the batch; not divided by anything."
    })
public final class ExponentCommand implements Callable<Integer> {
  enum Format {
    TEXT,
    JSON
  }

  enum HorizonStart {
    AUTO,
    SLOW,
    UNSTABLE,
    ISOTROPIC
  }

  @Option(
      names = "--gram",
      required = true,
      paramLabel = "G",
      description = "The Gram matrix, square and symmetric: " + ArrayFile.SYNTAX + ".")
  private String gram;

  @Option(
      names = "--learning-rate",
      required = true,
      paramLabel = "ETA",
      description = "Learning rate of the step.")
  private double learningRate;

  @Option(
      names = "--batch-size",
      required = true,
      paramLabel = "B",
      description = "Examples in a mini-batch, 1 to N.")
  private int batchSize;

  @Option(
      names = "--outputs",
      defaultValue = "1",
      paramLabel = "K",
      description = "Outputs an example; divides m.")
  private int outputs;

  @Option(
      names = "--sampling",
      defaultValue = "iid",
      converter = SamplingConverter.class,
      paramLabel = "SCHEME",
      description = "How mini-batches are drawn: " + SamplingConverter.SCHEMES + ".")
  private MiniBatchSampling sampling;

  @Option(
      names = "--seed",
      defaultValue = DefaultSeed.OPTION,
      paramLabel = "SEED",
      description = DefaultSeed.OF_ESTIMATES)
  private long seed;

  @Option(
      names = "--max-epochs",
      paramLabel = "E",
      description =
          "Budget of the estimate in epochs of N/B steps; by default 65536 steps, fewer if G is"
              + " large.")
  private Integer maxEpochs;

  @Option(
      names = "--tier",
      defaultValue = "full",
      description =
          "What is asked: economy (is the step surely below the edge? η/η_ms, λ, sharpness),"
              + " standard (how far is it from the edge? also η/η_c), full (what would help? also"
              + " the critical batch size and the sum of exponents).")
  private Tier tier;

  @Option(
      names = "--spectrum",
      paramLabel = "Q",
      description = "Also the Q largest Lyapunov exponents; the rank of G is the most there are.")
  private Integer spectrum;

  @Option(
      names = "--moments",
      split = ",",
      paramLabel = "P",
      description = "Also the moment exponents of these orders, such as 1,2,4; any real numbers.")
  private double[] moments = {};

  @Option(
      names = "--horizon",
      paramLabel = "STEPS",
      description = "Also the distribution of exponents over so many steps.")
  private Integer horizon;

  @Option(
      names = "--start",
      defaultValue = "auto",
      paramLabel = "START",
      description =
          "Where the horizon starts: slow (the mode that contracts least), unstable (the direction"
              + " that grows), isotropic (a random one), auto (unstable if lambda > 0, else slow).")
  private HorizonStart start;

  @Option(
      names = "--residual",
      paramLabel = "R",
      description =
          "Starts the horizon at this residual f - y, m numbers, in place of --start: "
              + ArrayFile.SYNTAX
              + ".")
  private String residual;

  @Option(
      names = "--epochs",
      defaultValue = "128",
      paramLabel = "E",
      description = "Measured epochs of --spectrum and --moments; more make their errors smaller.")
  private int epochs;

  @Option(
      names = "--burn-in",
      defaultValue = "20",
      paramLabel = "E",
      description = "Unmeasured epochs before those of --spectrum, --moments and --horizon.")
  private int burnIn;

  @Option(
      names = "--population",
      defaultValue = "256",
      paramLabel = "C",
      description = "Clones of --moments in the smaller populations.")
  private int population;

  @Option(
      names = "--realisations",
      defaultValue = "256",
      paramLabel = "R",
      description = "Realisations of --horizon.")
  private int realisations;

  @Option(
      names = "--heavy-ball",
      paramLabel = "BETA",
      description = "Heavy-ball momentum of the step.")
  private Double heavyBall;

  @Option(
      names = "--nesterov",
      paramLabel = "BETA",
      description = "Nesterov momentum of the step, in Deeplearning4j's form.")
  private Double nesterov;

  @Option(
      names = "--l2",
      defaultValue = "0",
      paramLabel = "C",
      description = "Coefficient of a penalty C/2 |theta|^2 inside the gradient.")
  private double l2;

  @Option(
      names = "--weight-decay",
      defaultValue = "0",
      paramLabel = "C",
      description =
          "Coefficient of weight decay, added after the momentum, times the learning rate.")
  private double weightDecay;

  @Option(
      names = "--format",
      defaultValue = "text",
      paramLabel = "FORMAT",
      description = "text or json.")
  private Format format;

  @Spec private CommandSpec spec;
  private double[] residuals;

  /** The command. */
  public ExponentCommand() {}

  @Override
  public Integer call() throws IOException {
    SgdStep step = Input.accept(spec, this::step);
    GramMatrix matrix = Input.accept(spec, this::readGram);
    long start = System.nanoTime();
    StabilityAnalyzer.Builder settings = StabilityAnalyzer.builder().seed(seed).tier(tier);
    if (maxEpochs != null) {
      settings.maxEpochs(maxEpochs);
    }
    StabilityAnalyzer analyzer = settings.build();
    StabilityReport report = Input.accept(spec, () -> analyzer.analyze(matrix, step));
    boolean nonzero = report.sharpness() > 0;
    GramMatrix normalised = matrix.normalised();
    SgdStep scaled = step.scaled(matrix.exponent());
    Optional<LyapunovSpectrum> largest =
        Optional.ofNullable(spectrum)
            .filter(count -> nonzero)
            .map(
                count ->
                    SpectrumEstimator.builder()
                        .seed(seed)
                        .exponents(count)
                        .epochs(epochs)
                        .burnInEpochs(burnIn)
                        .build()
                        .estimate(normalised, scaled));
    List<MomentExponent> orders = nonzero ? moments(normalised, scaled, report) : List.of();
    Optional<FiniteTimeExponents> finiteTime =
        Optional.ofNullable(horizon)
            .filter(steps -> nonzero)
            .map(steps -> horizon(report).estimate(normalised, scaled, steps));
    double seconds = (System.nanoTime() - start) * 1e-9;
    CheckpointDocument document =
        CheckpointDocument.of(report, seconds, largest, orders, finiteTime);
    PrintWriter out = spec.commandLine().getOut();
    if (format == Format.JSON) {
      out.println(Json.pretty(document));
    } else {
      printText(out, matrix, report, document);
      printMore(out, document);
    }
    out.flush();
    return 0;
  }

  private FiniteTimeEstimator horizon(StabilityReport report) {
    FiniteTimeEstimator.Builder builder =
        FiniteTimeEstimator.builder()
            .seed(seed)
            .trajectories(realisations)
            .burnInEpochs(burnIn)
            .start(
                switch (start) {
                  case SLOW -> FiniteTimeEstimator.Start.SLOW_MODE;
                  case UNSTABLE -> FiniteTimeEstimator.Start.UNSTABLE_DIRECTION;
                  case ISOTROPIC -> FiniteTimeEstimator.Start.ISOTROPIC;
                  case AUTO ->
                      report.exponent().sign() == Sign.POSITIVE
                          ? FiniteTimeEstimator.Start.UNSTABLE_DIRECTION
                          : FiniteTimeEstimator.Start.SLOW_MODE;
                });
    return residuals == null ? builder.build() : builder.residual(residuals).build();
  }

  /** Order 2 in closed form where there is one, the others by cloning. */
  private List<MomentExponent> moments(GramMatrix matrix, SgdStep step, StabilityReport report) {
    if (moments.length == 0) {
      return List.of();
    }
    double[] sampled =
        Arrays.stream(moments).filter(p -> p != 2 || report.meanSquare().isEmpty()).toArray();
    MomentExponents estimates =
        sampled.length == 0
            ? new MomentExponents(List.of(), 0, 0)
            : MomentEstimator.builder()
                .seed(seed)
                .epochs(epochs)
                .burnInEpochs(burnIn)
                .populationSize(population)
                .build()
                .estimate(matrix, step, sampled);
    MomentExponents all =
        report
            .meanSquare()
            .map(exact -> estimates.withExact(2, exact.exponent()))
            .orElse(estimates);
    return Arrays.stream(moments).mapToObj(order -> ofOrder(all, order)).toList();
  }

  private static MomentExponent ofOrder(MomentExponents all, double order) {
    return all.moments().stream()
        .filter(moment -> moment.order() == order)
        .findFirst()
        .orElseThrow();
  }

  private SgdStep step() {
    Input.require(
        learningRate >= 0 && Double.isFinite(learningRate),
        "--learning-rate must be finite and at least 0, got %s; give the rate of your training"
            + " step",
        learningRate);
    Input.require(batchSize >= 1, "--batch-size must be at least 1, got %d; use 1 to N", batchSize);
    Input.require(outputs >= 1, "--outputs must be at least 1, got %d; use 1 to m", outputs);
    Input.require(
        spectrum == null || spectrum >= 1,
        "--spectrum must be at least 1, got %d; give how many exponents you want",
        spectrum);
    for (double order : moments) {
      Input.require(Double.isFinite(order), "--moments must be finite, got %s; try 1,2,4", order);
    }
    Input.require(
        horizon == null || horizon >= 1,
        "--horizon must be at least 1, got %d; give the steps you will train",
        horizon);
    Input.require(
        heavyBall == null || nesterov == null,
        "give --heavy-ball or --nesterov, got both, %s and %s",
        heavyBall,
        nesterov);
    Input.require(
        maxEpochs == null || maxEpochs >= 1,
        "--max-epochs must be at least 1, got %d; try 1024",
        maxEpochs);
    Input.require(epochs >= 16, "--epochs must be at least 16, got %d; try 128 or more", epochs);
    Input.require(burnIn >= 0, "--burn-in must be at least 0, got %d; try 20", burnIn);
    Input.require(population >= 2, "--population must be at least 2, got %d; try 256", population);
    Input.require(
        realisations >= 4, "--realisations must be at least 4, got %d; try 256", realisations);
    try {
      return new SgdStep(learningRate, batchSize, sampling, momentum(), l2, weightDecay);
    } catch (IllegalArgumentException e) {
      Input.require(false, "%s; change the option", e.getMessage());
      throw e;
    }
  }

  private Momentum momentum() {
    if (heavyBall != null) {
      return new Momentum.HeavyBall(heavyBall);
    }
    return nesterov != null ? new Momentum.Nesterov(nesterov) : Momentum.NONE;
  }

  private GramMatrix readGram() throws IOException {
    GramMatrix matrix = GramFile.read(gram, outputs);
    Input.require(
        batchSize <= matrix.examples(),
        "--batch-size must be at most the number of examples %d, got %d; lower it or check"
            + " --outputs",
        matrix.examples(),
        batchSize);
    if (residual != null) {
      residuals = ArrayFile.read(residual).doubles();
      Input.require(
          residuals.length == matrix.size(),
          "--residual must have m = %d numbers, got %d; give those of the Gram matrix's examples",
          matrix.size(),
          residuals.length);
    }
    return matrix;
  }

  private static void printText(
      PrintWriter out, GramMatrix matrix, StabilityReport report, CheckpointDocument document) {
    out.printf(Locale.ROOT, "%s%n%s%n%n", matrix, report.step());
    report
        .criticalLearningRate()
        .ifPresent(
            critical ->
                line(
                    out,
                    "η/η_c",
                    EdgeRatio.of(report).orElseThrow()
                        + String.format(
                            Locale.ROOT,
                            "; η_c = %.4g, 95 %% interval [%.4g, %.4g]",
                            critical.value(),
                            critical.low(),
                            critical.high())));
    line(out, "λ", inWords(report.exponent()));
    line(out, "μ", inWords(report.gdExponent()) + "; the full batch");
    line(out, "sharpness", String.format(Locale.ROOT, "%.6g", report.sharpness()));
    line(
        out,
        ClassicGauge.name(report),
        String.format(Locale.ROOT, "%.4f", report.classicEdgeRatio()));
    line(out, "verdict", report.verdict().toString());
    report.advice().ifPresent(advice -> line(out, "advice", advice));
    document.cautions().forEach(caution -> line(out, "remark", caution));
  }

  private static void line(PrintWriter out, String name, String value) {
    out.printf("%-18s %s%n", name, value);
  }

  /** The exponent with what it rests on: the sampled steps, or why there are bounds alone. */
  private static String inWords(LyapunovExponent exponent) {
    String text = exponent + " nats/step";
    if (exponent instanceof LyapunovEstimate estimate) {
      return text
          + String.format(
              Locale.ROOT,
              ", 95 %% interval [%.4g, %.4g], %d steps of the %s branch",
              estimate.low(),
              estimate.high(),
              estimate.steps(),
              estimate.branch().name().toLowerCase(Locale.ROOT));
    }
    return exponent instanceof ExponentBound bound ? text + ": " + bound.reason() : text;
  }

  private static void printMore(PrintWriter out, CheckpointDocument document) {
    if (document.has("spectrum.values")) {
      line(
          out,
          "spectrum",
          spaced(
              numbers(document, "spectrum.values"), numbers(document, "spectrum.standardErrors")));
    }
    for (CheckpointDocument moment : document.parts("moments")) {
      line(
          out,
          "Λ(" + moment.number("order") + ")",
          String.format(
              Locale.ROOT,
              "%.4e ± %.1e nats/step",
              moment.number("value"),
              moment.number("standardError")));
    }
    if (document.has("finiteTime.horizon")) {
      line(
          out,
          "over " + (int) document.number("finiteTime.horizon") + " steps",
          String.format(
              Locale.ROOT,
              "mean %+.4e ± %.1e, variance %.3e ± %.1e, skewness %+.2f ± %.2f,"
                  + " P(shrinks) = %.3f [%.3f, %.3f], from %s",
              document.number("finiteTime.mean"),
              document.number("finiteTime.meanError"),
              document.number("finiteTime.variance"),
              document.number("finiteTime.varianceError"),
              document.number("finiteTime.skewness"),
              document.number("finiteTime.skewnessError"),
              document.number("finiteTime.probabilityNegative"),
              document.number("finiteTime.low"),
              document.number("finiteTime.high"),
              document
                  .text("finiteTime.start")
                  .orElseThrow()
                  .toLowerCase(Locale.ROOT)
                  .replace('_', ' ')));
    }
    line(out, "time", String.format(Locale.ROOT, "%.2f s", document.number("seconds")));
  }

  private static List<Double> numbers(CheckpointDocument document, String key) {
    return ((CheckpointDocument.Value.Numbers) document.entry(key).orElseThrow().value()).values();
  }

  private static String spaced(List<Double> values, List<Double> errors) {
    return IntStream.range(0, values.size())
        .mapToObj(j -> String.format(Locale.ROOT, "%+.4e ± %.1e", values.get(j), errors.get(j)))
        .collect(Collectors.joining(", "));
  }
}
