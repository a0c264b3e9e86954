@chat @serial
Feature: Concurrency
  Many clients at once: each gets its own answer, whole, and nobody gets another's.

  @W161
  Scenario: Eight questions at once get eight answers, <delivery>
    Given replies are <delivery>
    And at most 16 tokens
    When I ask at once:
      | ask                             | capital   |
      | What is the capital of France?  | Paris     |
      | What is the capital of Germany? | Berlin    |
      | What is the capital of Japan?   | Tokyo     |
      | What is the capital of Russia?  | Moscow    |
      | What is the capital of China?   | Beijing   |
      | What is the capital of Egypt?   | Cairo     |
      | What is the capital of Greece?  | Athens    |
      | What is the capital of Cuba?    | Havana    |
    Then each reply mentions its "capital"
    And not all replies are the same

  Scenario: The same question at once gets the same answer
    When I ask at once:
      | ask                            |
      | What is the capital of France? |
      | What is the capital of France? |
      | What is the capital of France? |
      | What is the capital of France? |
    Then the reply mentions "Paris"
    And all replies are the same

  Scenario: A short question is answered beside a long story
    Given at most 32 tokens
    When I ask at once:
      | ask                            | word  |
      | Write a story about a fox.     | fox   |
      | What is the capital of France? | Paris |
      | Write a story about a fox.     | fox   |
      | What is the capital of Japan?  | Tokyo |
    Then each reply mentions its "word"

  Scenario: After a crowd the server is as before
    Given at most 8 tokens
    When I ask at once:
      | ask                             |
      | What is the capital of France?  |
      | Name three colors.              |
      | Write a story about a fox.      |
      | What is the capital of Germany? |
    Then not all replies are the same
    When I ask "What is the capital of Norway?"
    Then the reply mentions "Oslo"
    And the server is still up
