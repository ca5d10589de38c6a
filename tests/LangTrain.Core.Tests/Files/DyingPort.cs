using System.Reflection;

namespace LangTrain.Core.Tests.Files;

/// <summary>The process died.</summary>
public sealed class DeathException() : Exception("The process died here.");

/// <summary>When a process dies: at its n-th call of storage, before or after the call was made; every call after that dies too.</summary>
public sealed class Crash
{
    public required int At { get; init; }

    public required bool IsAfter { get; init; }

    public int Calls { get; set; }
}

/// <summary>A port whose process dies.</summary>
public class DyingPort : DispatchProxy
{
    private object _port = null!;
    private Crash _crash = null!;

    public static T Over<T>(T port, Crash crash)
        where T : class
    {
        var proxy = Create<T, DyingPort>();
        ((DyingPort)(object)proxy)._port = port;
        ((DyingPort)(object)proxy)._crash = crash;
        return proxy;
    }

    protected override object? Invoke(MethodInfo? targetMethod, object?[]? args)
    {
        if (++_crash.Calls >= _crash.At && !(_crash.Calls == _crash.At && _crash.IsAfter))
        {
            throw new DeathException();
        }

        var answer = targetMethod!.Invoke(_port, BindingFlags.DoNotWrapExceptions, null, args, null);
        return _crash.Calls < _crash.At ? answer : throw new DeathException();
    }
}
