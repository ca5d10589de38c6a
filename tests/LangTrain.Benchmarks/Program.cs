using LangTrain.Benchmarks;

return args switch
{
    ["training-speed", .. var rest] => TrainingSpeed.Run(rest),
    ["loss-speed"] => LossSpeed.Run(),
    _ => Usage(),
};

static int Usage()
{
    Console.Error.WriteLine("""
        dotnet run -c Release --project tests/LangTrain.Benchmarks -- <verb>

          loss-speed                                                 the head and its loss alone
          training-speed [1m|15m|110m] [lora|qlora|full] [steps] [threads]   tokens a second of training steps, fp32
        """);
    return 2;
}
