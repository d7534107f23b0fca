// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.samples.gram;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import org.deeplearning4j.nn.api.Model;
import org.lyapunov4j.dl4j.gram.NtkGram;
import org.lyapunov4j.dl4j.gram.NtkGramResult;
import org.lyapunov4j.dl4j.gram.Precision;
import org.lyapunov4j.dl4j.gram.Weighting;
import org.lyapunov4j.dl4j.record.Json;
import org.lyapunov4j.gram.GramMatrix;
import org.lyapunov4j.samples.cli.Input;
import org.lyapunov4j.samples.data.ExampleOptions;
import org.lyapunov4j.samples.io.NpyFile;
import org.lyapunov4j.samples.io.OutputFile;
import org.lyapunov4j.samples.model.ModelFile;
import org.nd4j.linalg.dataset.DataSet;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** The Gram matrix of a saved Deeplearning4j model, as a NumPy file. */
@Command(
    name = "gram",
    mixinStandardHelpOptions = true,
    showDefaultValues = true,
    description = {
      "Computes the Gram matrix of a saved Deeplearning4j model on examples in files.",
      "G[(i,k),(j,l)] = <df_ik/dtheta, df_jl/dtheta>, example by example, weighted by the curvature"
          + " of the model's loss unless --plain is given; not divided by anything."
    })
public final class GramCommand implements Callable<Integer> {
  enum Format {
    TEXT,
    JSON
  }

  @Option(
      names = "--model",
      required = true,
      paramLabel = "MODEL.zip",
      description = "A model written by ModelSerializer, with one input and one output.")
  private Path model;

  @Mixin private ExampleOptions examples;

  @Option(names = "--plain", description = "The kernel itself, not weighted by the loss.")
  private boolean plain;

  @Option(
      names = "--layers",
      description = "Also the part of each layer, in files G.LAYER.npy beside G.npy.")
  private boolean layers;

  @Option(names = "--float", description = "Entries in single precision.")
  private boolean single;

  @Option(
      names = "--eigenvalues",
      description = "Also compare the smallest eigenvalue with rounding; takes m^3 operations.")
  private boolean eigenvalues;

  @Option(
      names = "--out",
      required = true,
      paramLabel = "G.npy",
      description = "Where the matrix goes; replaced if it exists.")
  private Path out;

  @Option(
      names = "--format",
      defaultValue = "text",
      paramLabel = "FORMAT",
      description = "text or json.")
  private Format format;

  @Spec private CommandSpec spec;

  /** The command. */
  public GramCommand() {}

  @Override
  public Integer call() throws IOException {
    Input.accept(spec, this::requireFolder);
    Model network = Input.accept(spec, () -> ModelFile.open(model).restore(false));
    DataSet data = Input.accept(spec, examples::read);
    long start = System.nanoTime();
    NtkGramResult result = Input.accept(spec, () -> compute(network, data));
    double seconds = (System.nanoTime() - start) * 1e-9;
    NpyFile.write(out, result.gram());
    List<String> files = new ArrayList<>();
    for (Map.Entry<String, GramMatrix> layer : result.layers().entrySet()) {
      Path file = layerFile(layer.getKey());
      NpyFile.write(file, layer.getValue());
      files.add(file.toString());
    }
    GramRecord record =
        GramRecord.of(result, out.toString(), files, plain ? "plain" : "curvature", seconds);
    PrintWriter writer = spec.commandLine().getOut();
    if (format == Format.JSON) {
      writer.println(Json.pretty(record));
    } else {
      print(writer, result, record);
    }
    writer.flush();
    return 0;
  }

  private Void requireFolder() throws IOException {
    OutputFile.require("--out", out);
    return null;
  }

  private NtkGramResult compute(Model network, DataSet data) {
    try (NtkGram gram =
        NtkGram.builder(network)
            .probe(data)
            .weighting(plain ? Weighting.PLAIN : Weighting.CURVATURE)
            .precision(single ? Precision.FLOAT : Precision.AUTO)
            .layers(layers)
            .eigenvalues(eigenvalues)
            .build()) {
      return gram.compute(network.params());
    }
  }

  /** G.LAYER.npy, without what a file name cannot hold. */
  private Path layerFile(String layer) {
    String name = out.getFileName().toString();
    String stem = name.endsWith(".npy") ? name.substring(0, name.length() - 4) : name;
    return out.resolveSibling(stem + "." + layer.replaceAll("[^\\w.-]", "_") + ".npy");
  }

  private static void print(PrintWriter writer, NtkGramResult result, GramRecord record) {
    writer.printf(Locale.ROOT, "%s, %s: %s%n", result.gram(), record.weighting(), record.out());
    record.layers().forEach(file -> writer.printf(Locale.ROOT, "layer          %s%n", file));
    writer.printf(Locale.ROOT, "trace          %.6g%n", record.trace());
    if (record.spotRows() > 0) {
      writer.printf(
          Locale.ROOT,
          "checked        %d rows by Deeplearning4j's gradients, deviation %.1e; asymmetry %.1e%n",
          record.spotRows(),
          record.spotDeviation(),
          record.asymmetry());
    }
    if (record.smallestEigenvalue() != null) {
      writer.printf(
          Locale.ROOT,
          "κ_min          %.3e, rounding %.1e%n",
          record.smallestEigenvalue(),
          record.rounding());
    }
    record.assumptions().forEach(line -> writer.printf(Locale.ROOT, "assumed        %s%n", line));
    writer.printf(Locale.ROOT, "time           %.2f s%n", record.seconds());
  }
}
