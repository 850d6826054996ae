# Completion of orderlyctl for bash: orderlyctl itself knows what may follow, services included.
# Installed as /usr/share/bash-completion/completions/orderlyctl, or sourced from ~/.bashrc.

# The words of the line up to the cursor, into the array _orderlyctl_words. Bash has also cut them
# at characters that names and options are made of ('@', '=', ':'): what stood together on the line
# is one word.
_orderlyctl_join()
{
    local line=${COMP_LINE:0:COMP_POINT} word i
    _orderlyctl_words=()
    if [ -z "$COMP_LINE" ]; then
        _orderlyctl_words=("${COMP_WORDS[@]:0:COMP_CWORD+1}")
        return
    fi
    for ((i = 0; i <= COMP_CWORD; i++)); do
        word=${COMP_WORDS[i]}
        if ((i == COMP_CWORD)); then # as far as the cursor
            word=${line#"${line%%[![:blank:]]*}"}
        fi
        if ((i > 0)) && [ -n "$line" ] && [[ $line != [[:blank:]]* ]]; then
            _orderlyctl_words[-1]+=$word
        else
            _orderlyctl_words+=("$word")
        fi
        line=${line#"${line%%[![:blank:]]*}"}
        line=${line#"$word"}
    done
}

_orderlyctl()
{
    local _orderlyctl_words candidate current cut
    COMPREPLY=()
    _orderlyctl_join
    current=${_orderlyctl_words[-1]}
    # Bash replaces only what follows its last cut, and the '@' of a cut as well.
    cut=${current%"${COMP_WORDS[COMP_CWORD]}"}
    case ${COMP_WORDS[COMP_CWORD]} in
        = | @ | :) cut=$current ;;
    esac
    cut=${cut%@}
    while IFS=$'\t' read -r candidate _; do
        if [ "$candidate" = :files ]; then
            compopt -o filenames 2> /dev/null
            mapfile -t COMPREPLY < <(compgen -f -- "${COMP_WORDS[COMP_CWORD]}")
            return
        fi
        COMPREPLY+=("${candidate#"$cut"}")
    done < <("${_orderlyctl_words[0]}" __complete "${_orderlyctl_words[@]:1}" 2> /dev/null)
}

complete -F _orderlyctl orderlyctl
