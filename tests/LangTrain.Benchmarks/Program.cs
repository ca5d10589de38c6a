using LangTrain.Benchmarks;

return args switch
{
    ["training-speed", .. var rest] => TrainingSpeed.Run(rest),
    ["training-side", .. var rest] => TrainingSide.Run(rest),
    ["loss-speed"] => LossSpeed.Run(),
    ["matmul-speed"] => MatmulSpeed.Run(),
    ["train-tiny-base-model", .. var rest] => TinyBaseModelTraining.Run(rest),
    ["write-demo-dataset", var folder] => WriteDemo(folder),
    ["check-demo", var baseModel, var dataset] => DemoCheck.Run(baseModel, dataset),
    _ => Usage(),
};

static int WriteDemo(string folder)
{
    LangTrain.Training.TinyBaseModel.DemoDataset.Write(folder, seed: 7);
    return 0;
}

static int Usage()
{
    Console.Error.WriteLine("""
        dotnet run -c Release --project tests/LangTrain.Benchmarks -- <verb>

          loss-speed                                                 the head and its loss alone
          matmul-speed                                               the ways to multiply by a weight
          train-tiny-base-model --out <folder> [--documents <n>]    makes the base model that ships with LocalHost
          check-demo <base model folder> <dataset folder>            fine-tunes it on the demo's dataset; held-out exact match before and after
          training-speed [15m|110m|1m|demo] [lora,lora-bf16,qlora,…|full,full-bf16] [--python <command>] [--steps 20] [--threads 2] [--folder <work folder>]
                                                                     training steps, each side in turn with plain PyTorch where a Python with torch is
                                                                     named there or in LANGTRAIN_BENCHMARK_PYTHON
        """);
    return 2;
}
